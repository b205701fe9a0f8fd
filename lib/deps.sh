#!/bin/bash
# deps.sh SET...: installs from Debian what a set of purposes needs.
#
#	build	to compile the programs
#	run	to run them (`make run`)
#	test	for `make test`
#	lint	for `make lint` and `make fmt`
#	bench	for `make bench`
#	web	for the tests with other web servers and with a browser
#	npm	for the OpenAPI linter (CI asks for it where npm is missing)
#	engine	to run containers (tests/containers/engine asks for it)
#	controller, agent, worker
#		what that program needs beside its libraries
#
# deps.sh --of PROGRAM...: prints the packages that built programs (paths)
# need where they only run: their set, and their libraries' packages.
#
# Starts no service, and leaves none enabled that was not: Debian's packages
# of servers do both. Does nothing, quickly, when everything is there.
# Without root it asks sudo; without sudo it says what to run, and fails.
set -euo pipefail

declare -A packages=(
	[build]="gcc libc6-dev make pkgconf libcjson-dev libcurl4-openssl-dev
	    libfcgi-dev libhiredis-dev liblua5.4-dev libsqlite3-dev
	    nettle-dev"
	[controller]="lighttpd lighttpd-modules-lua"
	[agent]="ca-certificates"
	[worker]="ca-certificates"
	[run]="lighttpd lighttpd-modules-lua curl ca-certificates"
	[test]="bats jq libnghttp2-dev lighttpd-mod-openssl nats-server openssl
	    procps python3 redis-server shellcheck"
	[lint]="clang clang-format cppcheck libnghttp2-dev lua5.4 shellcheck"
	[bench]="nginx npm wrk"
	[web]="apache2 chromium chromium-driver fcgiwrap
	    libapache2-mod-fcgid nginx"
	[npm]="npm"
	[engine]="debootstrap docker-compose docker.io iptables"
)

here=$(cd "$(dirname "$0")" && pwd)
policy=/usr/sbin/policy-rc.d

# The packages of the sets that are not installed.
deps_missing()
{
	local set
	for set; do
		# shellcheck disable=SC2086	# a list of words
		printf '%s\n' ${packages[$set]}
	done | sort -u >"$temp/wanted"
	# npm may come with a Node.js of another make, which refuses Debian's.
	! command -v npm >/dev/null || sed -i /^npm$/d "$temp/wanted"
	# shellcheck disable=SC2046
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
	    $(cat "$temp/wanted") 2>/dev/null |
	    sed -n 's/^installed //p' | sort -u >"$temp/installed" || true
	comm -23 "$temp/wanted" "$temp/installed"
}

# llhttp: a library in Debian 13; in 12 the build fetches the sources from a
# package, and for that apt must know the package.
deps_llhttp()
{
	pkg-config --exists libllhttp 2>/dev/null ||
	    [ -e "$here/../build/llhttp/.unpacked" ] ||
	    apt-cache show node-llhttp >/dev/null 2>&1
}

# Every link by which a service starts with the machine.
deps_enabled()
{
	find /etc/systemd/system /etc/rc[2-5].d \
	    \( -path '*.wants/*.service' -o -path '*.wants/*.socket' -o \
	       -path '*/rc*/S*' \) \
	    2>/dev/null | sort
}

deps_policy_left()
{
	if [ -e "$policy.before-dcm" ] || [ -L "$policy.before-dcm" ]; then
		mv -f "$policy.before-dcm" "$policy"
	fi
}

# What an installation killed half-way left behind is put back first.
deps_policy_refuse()
{
	deps_policy_left
	! grep -qs '^# temporary, by .*deps.sh' "$policy" || rm -f "$policy"
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		mv -f "$policy" "$policy.before-dcm"
	fi
	printf '#!/bin/sh\n# temporary, by %s\nexit 101\n' "$0" >"$policy"
	chmod 755 "$policy"
}

deps_policy_restore()
{
	rm -f "$policy"
	deps_policy_left
}

deps_new()
{
	deps_enabled | comm -13 "$temp/enabled" -
}

deps_disable_new()
{
	local link name
	deps_new | while read -r link; do
		name=${link##*/}
		case $link in
		*.service | *.socket)	# asks to be a package's script
			DPKG_MAINTSCRIPT_PACKAGE=${name%.*} \
			    deb-systemd-helper disable "$name" ;;
		*)
			name=${name#S??}
			update-rc.d "$name" disable ;;
		esac >/dev/null 2>&1 || :
		echo "  OFF    $name"
	done | sort -u
	deps_new | sed 's/^/deps: still starts with the machine: /' >&2
}

# One line a package, all of apt's words when it fails.
deps_apt()
{
	local any='[^ ]*'
	local pre="$any $any $any $any"
	DEBIAN_FRONTEND=noninteractive apt-get -q -y \
	    -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" 2>&1 |
	    tee "$temp/apt.log" |
	    sed -un -e "s/^Get:$pre \\($any\\) $any $any \[.*/  GET    \1/p" \
	        -e "s/^Setting up \\($any\\).*/  SETUP  \1/p" || {
		cat "$temp/apt.log" >&2
		echo "deps: apt-get $1 failed" >&2
		return 1
	}
}

deps_install()
{
	local missing=$1
	exec 8>/run/dcm-deps.lock
	flock 8				# the policy is one for the machine
	deps_enabled >"$temp/enabled"
	trap 'deps_policy_restore; rm -rf "$temp"' EXIT
	trap 'exit 1' HUP INT TERM
	echo "  UPDATE package lists"
	deps_apt update
	if [ -n "$missing" ]; then
		deps_policy_refuse
		# shellcheck disable=SC2086
		deps_apt install --no-install-recommends $missing
		deps_disable_new
	fi
}

# Of the libraries only the direct ones: apt knows what those need.
deps_of()
{
	local program name library
	for program; do
		name=${program##*/dcm-}
		printf '%s\n' "${packages[$name]}"
		objdump -p "$program" | sed -n 's/^ *NEEDED *//p' |
		while read -r library; do
			dpkg-query -S "*-linux-gnu*/$library" | sed 's/[:,].*//'
		done
	done | sort -u
}

if [ "${1:-}" = --of ]; then
	shift
	deps_of "$@"
	exit
fi
for set; do
	[ -n "${packages[$set]:-}" ] || {
		echo "deps: there is no set \"$set\"" >&2
		exit 2
	}
done
[ $# -gt 0 ] || { echo "usage: $0 SET ..." >&2; exit 2; }
if ! command -v apt-get >/dev/null; then
	echo "deps: no apt-get here; what is needed is listed in $0" >&2
	exit 0
fi
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
missing=$(deps_missing "$@" | tr '\n' ' ')
if [ -z "$missing" ]; then
	case " $* " in
	*" build "*) deps_llhttp && exit 0 ;;
	*) exit 0 ;;
	esac
fi

if [ "$(id -u)" = 0 ]; then
	[ -z "$missing" ] || echo "deps: installing $missing"
	deps_install "$missing"
elif command -v sudo >/dev/null &&
    { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
	echo "deps: installing ${missing:-package lists} (by sudo)"
	sudo "$0" "$@"
else
	echo "deps: needs root: ${missing:-package lists}" >&2
	echo "run as root:  $0 $*" >&2
	exit 1
fi
