#!/bin/sh
# run.sh: the controller behind a lighttpd of its own, in the foreground.
#
# Every setting comes from the environment (`dcm-controller --help` lists
# them). DCM_BIN is the folder of the programs, when they are not in
# ../build/bin or beside the folder that this was installed to. DCM_PAGE is
# the folder of Swagger UI (make api-page), likewise; it need not be there.
# DCM_FAST=off leaves out the fast path (fast.lua), as does a lighttpd without
# mod_magnet.
#
# Becomes lighttpd: whoever starts it stops it with SIGTERM.
set -eu

fail()
{
	echo "controller: $*" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin		# where Debian has lighttpd
command -v lighttpd >/dev/null || fail "lighttpd is not installed"

if [ -z "${DCM_BIN:-}" ]; then
	for DCM_BIN in "$here/../build/bin" "$here/../../../bin"; do
		[ ! -x "$DCM_BIN/config.fcgi" ] || break
	done
fi
[ -x "$DCM_BIN/config.fcgi" ] ||
	fail "there is no config.fcgi in $DCM_BIN (run 'make', or set DCM_BIN)"
DCM_BIN=$(cd "$DCM_BIN" && pwd)

if [ -z "${DCM_PAGE:-}" ]; then
	for DCM_PAGE in "$here/../build/page" "$here/../page"; do
		[ ! -e "$DCM_PAGE/page.conf" ] || break
	done
fi

umask 077
export STATE_DIR="${STATE_DIR:-var}"
mkdir -p "$STATE_DIR" || fail "STATE_DIR $STATE_DIR cannot be made"
STATE_DIR=$(cd "$STATE_DIR" && pwd)
[ -w "$STATE_DIR" ] || fail "STATE_DIR $STATE_DIR cannot be written"

# A socket's path has 107 bytes, and lighttpd cuts bin-path at a space.
DCM_RUN=$STATE_DIR/run
if [ ${#DCM_RUN} -gt 82 ] || [ "${DCM_RUN#* }" != "$DCM_RUN" ]; then
	name=$(printf %s "$STATE_DIR" | sha256sum | cut -c1-16)
	DCM_RUN=${TMPDIR:-/tmp}/dcm-$(id -u)-$name
fi
mkdir -p "$DCM_RUN" || fail "$DCM_RUN cannot be made"
[ -O "$DCM_RUN" ] || fail "$DCM_RUN belongs to someone else"

# Each start has its own sockets: those of a lighttpd that was killed may be
# served for a moment yet, and the new one would take them for good. One that
# ended and that nobody has waited for yet is gone as well.
for old in "$DCM_RUN"/[0-9]*; do
	if ! kill -0 "${old##*/}" 2>/dev/null ||
	    grep -qs '^State:[[:space:]]*Z' "/proc/${old##*/}/status"; then
		rm -rf "$old"
	fi
done
DCM_RUN=$DCM_RUN/$$
mkdir -p "$DCM_RUN" || fail "$DCM_RUN cannot be made"
case $DCM_BIN in
*\ *)
	ln -sfn "$DCM_BIN" "$DCM_RUN/bin"
	DCM_BIN=$DCM_RUN/bin
	;;
esac

cat >"$DCM_RUN/fast.conf" <<'EOF'
server.document-root = "/"
server.modules = ( "mod_magnet" )
EOF
if [ "${DCM_FAST:-on}" != off ] &&
    lighttpd -tt -f "$DCM_RUN/fast.conf" >"$DCM_RUN/fast.log" 2>&1; then
	# As fast.conf does, but there is one state here: lighttpd's environment
	# says it once, instead of mod_setenv with each poll.
	export DCM_ONLY_STATE="$STATE_DIR" DCM_ONLY_LIB="$DCM_BIN/../lib/dcm"
	cat >"$DCM_RUN/fast.conf" <<'EOF'
server.modules += ( "mod_magnet" )
$HTTP["url"] == var.dcm_prefix + "/config" {
	magnet.attract-raw-url-to = ( var.dcm_share + "/fast.lua" )
}
$HTTP["url"] == var.dcm_prefix + "/api/v1/config" {
	magnet.attract-raw-url-to = ( var.dcm_share + "/fast.lua" )
}
EOF
else
	: >"$DCM_RUN/fast.conf"
fi

# What never reaches a responder, lighttpd refuses in the same form; it wants
# the files to be called that.
mkdir -p "$DCM_RUN/refused"
while read -r code title; do
	printf '{"type":"about:blank","title":"%s","status":%s,"detail":"%s"}' \
	    "$title" "$code" "refused before it reached the controller" \
	    >"$DCM_RUN/refused/$code.html"
done <<'EOF'
400 Bad Request
408 Request Timeout
411 Length Required
413 Content Too Large
414 URI Too Long
417 Expectation Failed
431 Request Header Fields Too Large
500 Internal Server Error
501 Not Implemented
502 Bad Gateway
503 Service Unavailable
504 Gateway Timeout
505 HTTP Version Not Supported
EOF

export CONTROLLER_PORT="${CONTROLLER_PORT:-${PORT:-8080}}"
case $CONTROLLER_PORT in
'' | *[!0-9]* | ??????*)
	fail "CONTROLLER_PORT is \"$CONTROLLER_PORT\", not 1 to 65535" ;;
esac
BIND_ADDRESS=${BIND_ADDRESS:-127.0.0.1}
case $BIND_ADDRESS in
*:*) DCM_BIND="[$BIND_ADDRESS]" ;;
*) DCM_BIND=$BIND_ADDRESS ;;
esac

# "/" says: at the root, and nothing else to be made of SCRIPT_NAME.
DCM_PREFIX=${BASE_PATH:-}
DCM_PREFIX=${DCM_PREFIX%/}
export BASE_PATH="${DCM_PREFIX:-/}"

# shellcheck disable=SC3045	# dash has both
DCM_FDS=$(ulimit -Hn)
[ "$DCM_FDS" != unlimited ] && [ "$DCM_FDS" -le 65536 ] || DCM_FDS=65536
# shellcheck disable=SC3045
ulimit -n "$DCM_FDS"
DCM_CONNECTIONS=$((DCM_FDS / 2 - 64))

# Held polls leave some connections to others: above nine tenths of its files
# lighttpd takes no new client.
DCM_HELD=$((DCM_CONNECTIONS * 3 / 4))
[ "$DCM_HELD" -ge 10000 ] ||
	echo "controller: the limit of open files is $DCM_FDS:" \
	    "$DCM_HELD polls can be held at once" \
	    "(10000 need a hard limit of 26800)" >&2

# The process that will be lighttpd: the responders end with it.
export DCM_LIGHTTPD=$$
export BIND_ADDRESS DCM_BIN DCM_BIND DCM_CONNECTIONS DCM_FDS DCM_HELD
export DCM_PAGE DCM_PREFIX DCM_RUN DCM_SHARE="$here"
exec lighttpd -D -f "$here/standalone.conf"
