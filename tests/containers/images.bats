#!/usr/bin/env bats
# images.bats: the images: what is in them, what is not, and what they refuse.

load helper

setup_file()
{
	engine_wanted
	settings a
	deploy a docker-build >"$dir/build.log" 2>&1 ||
	    { tail -n 40 "$dir/build.log" >&2; return 1; }
}

# in_image PROGRAM COMMAND [USER]: a shell's, in a container of the image.
in_image()
{
	docker run --rm --network none ${3:+--user "$3"} --entrypoint sh \
	    "dcm-$1:$DCM_TAG" -c "$2"
}

@test "the images are built, and their sizes are small" {
	local base program size
	base=$(docker image inspect -f '{{.Size}}' debian:bookworm-slim)
	for program in controller agent worker; do
		size=$(docker image inspect -f '{{.Size}}' \
		    "dcm-$program:$DCM_TAG")
		echo "# size dcm-$program $((size / 1000000)) MB," \
		    "$(((size - base) / 1000000)) MB of them not Debian's" \
		    "slim image" >&3
		[ $((size - base)) -lt 40000000 ]
	done
}

@test "nothing of the build is in an image" {
	local program
	for program in controller agent worker; do
		in_image $program '
		for tool in gcc cc make ld objdump pkg-config curl wget; do
			! command -v $tool || exit 1
		done
		[ ! -e /src ] && [ ! -e /usr/include/stdio.h ] &&
		[ -z "$(find / -xdev \( -name "*.[ch]" -o -name "*.a" \) \
		    -not -path "*/perl*")" ] &&
		[ -z "$(find /var/lib/apt/lists /var/cache -type f)" ]' 0
	done
}

@test "each image has its own program, stripped, and the others not" {
	local program other
	for program in controller agent worker; do
		for other in controller agent worker; do
			[ "$(in_image $program "command -v dcm-$other")" = \
			    "$([ $other != $program ] ||
			    echo "/usr/local/bin/dcm-$program")" ]
		done
		docker run --rm --entrypoint "dcm-$program" \
		    "dcm-$program:$DCM_TAG" --version
	done
}

@test "the controller's image has what the fast path is made of" {
	in_image controller '[ -s /usr/lib/lighttpd/mod_magnet.so ] &&
	    [ -s /usr/local/share/dcm/lighttpd/fast.lua ] &&
	    [ -s /usr/local/lib/dcm/fast.so ]'
}

@test "labels say what an image is, and its version is the program's" {
	local program label version
	for program in controller agent worker; do
		version=$(docker run --rm --entrypoint "dcm-$program" \
		    "dcm-$program:$DCM_TAG" --version)
		for label in title=dcm-$program licenses=Apache-2.0 \
		    "version=${version##* }"; do
			[ "$(docker image inspect -f \
			    "{{index .Config.Labels \
			    \"org.opencontainers.image.${label%%=*}\"}}" \
			    "dcm-$program:$DCM_TAG")" = "${label#*=}" ]
		done
		# The same without make, which gives its version.
		grep -qx "ARG VERSION=${version##* }" \
		    "$top"/*/Dockerfile
		[ "$(grep -lx "ARG VERSION=${version##* }" \
		    "$top"/*/Dockerfile | wc -l)" = 3 ]
	done
}

@test "an image's user is a number, and not root's" {
	local program
	for program in controller agent worker; do
		docker image inspect -f '{{.Config.User}}' \
		    "dcm-$program:$DCM_TAG" | grep -xE '[1-9][0-9]*:[1-9][0-9]*'
		[ "$(in_image $program 'id -u; stat -c "%u %a" .')" = \
		    "$(printf '10001\n10001 700')" ]
	done
}

@test "no secret, state or history can come into an image" {
	local file=$dir/context.tar
	# What the engine would be sent: the tree with decoys in it.
	mkdir -p "$dir/tree/secrets" "$dir/tree/var" "$dir/tree/.git"
	cp "$top/.dockerignore" "$dir/tree/"
	echo s3cret-decoy | tee "$dir/tree/secrets/admin_password" \
	    "$dir/tree/var/credentials.env" "$dir/tree/.env" \
	    "$dir/tree/.git/config" >/dev/null
	printf 'FROM debian:bookworm-slim\nCOPY . /context\n' \
	    >"$dir/tree/Dockerfile"
	docker build -q -t "dcm-decoy:$DCM_TAG" "$dir/tree"
	run docker run --rm "dcm-decoy:$DCM_TAG" grep -rl s3cret-decoy /context
	docker rmi -f "dcm-decoy:$DCM_TAG" >/dev/null
	[ "$status" != 0 ]
	[ -z "$output" ]
}

@test "no secret has a value in a compose file or an image" {
	local program file
	for program in controller agent worker; do
		docker image inspect -f '{{json .Config.Env}}' \
		    "dcm-$program:$DCM_TAG" >"$dir/env.json"
		refute grep -E 'PASSWORD|API_KEY|TOKEN|SECRET' "$dir/env.json"
	done
	# Only the paths of secrets are among the settings.
	for file in "$top"/docker-compose.*.yml; do
		grep -E '^ +[A-Z_]*(PASSWORD|API_KEY|TOKEN)[A-Z_]*:' "$file" |
		    refute grep -vE '^ +[A-Z_]+_FILE: /run/secrets/[a-z_]+$'
	done
}

# refused PROGRAM SETTING NAME=FILE ...: with files of $dir/secrets mounted.
# The program must stop by itself, not with success, and name the setting.
refused()
{
	local program=$1 name=$2 file args=()
	shift 2
	for file; do
		args+=(-e "${file%%=*}_FILE=/run/secrets/${file#*=}")
		args+=(-v "$dir/secrets/${file#*=}:/run/secrets/${file#*=}:ro")
	done
	run timeout -k 5 60 docker run --rm --read-only --network none \
	    -e ADMIN_USERNAME=admin -e CONTROLLER_URL=http://192.0.2.1 \
	    -e WORKER_URL=http://192.0.2.1 \
	    "${args[@]}" "dcm-$program:$DCM_TAG"
	echo "$output"
	[ "$status" != 0 ] && [ "$status" -lt 124 ] || return 1
	grep -q "$name" <<<"$output"
}

@test "an empty secret is refused at start with its setting's name" {
	local name other args
	local all=(ADMIN_PASSWORD ADMIN_API_KEY AGENT_API_KEY)
	echo text >"$dir/secrets/good"
	: >"$dir/secrets/empty"
	chmod 444 "$dir/secrets/good" "$dir/secrets/empty"
	for name in "${all[@]}"; do
		args=()
		for other in "${all[@]}"; do
			args+=("$other=$([ "$other" = "$name" ] && echo empty ||
			    echo good)")
		done
		refused controller "$name" "${args[@]}"
	done
	refused agent CONTROLLER_API_KEY CONTROLLER_API_KEY=empty \
	    WORKER_API_KEY=good
	refused agent WORKER_API_KEY CONTROLLER_API_KEY=good \
	    WORKER_API_KEY=empty
	refused worker WORKER_API_KEY WORKER_API_KEY=empty
}

@test "a missing credential is refused at start with its setting's name" {
	refused controller ADMIN_PASSWORD AGENT_API_KEY=good
	refused controller AGENT_API_KEY ADMIN_API_KEY=good
	refused agent CONTROLLER_API_KEY
}

@test "docker-compose reads both files" {
	command -v docker-compose >/dev/null || skip "docker-compose is not here"
	compose=docker-compose
	compose_of a controller config -q
	compose_of a agent-worker config -q
}

@test "the v2 plugin reads both files" {
	docker compose version >/dev/null 2>&1 ||
	    skip "the v2 plugin of compose is not here"
	compose='docker compose'
	compose_of a controller config -q
	compose_of a agent-worker config -q
}

# passed PROGRAM FILE EXCEPT: whether the compose file passes every setting of
# the program, but for those that the container decides.
passed()
{
	docker run --rm --entrypoint "dcm-$1" "dcm-$1:$DCM_TAG" \
	    --help-markdown | sed -n 's/^| `\([A-Z_]*\)`.*/\1/p' |
	    grep -vxE "$3" >"$dir/settings.$1"
	[ -s "$dir/settings.$1" ]
	while read -r name; do
		grep -qE "^      ($name|${name}_FILE):" "$top/$2" || {
			echo "$2 does not pass $name"
			return 1
		}
	done <"$dir/settings.$1"
}

@test "every setting of the worker, and of hints, can be set from outside" {
	passed worker docker-compose.agent-worker.yml \
	    'WORKER_PORT|BIND_ADDRESS|STATE_DIR'
	passed agent docker-compose.agent-worker.yml \
	    'AGENT_PORT|BIND_ADDRESS|STATE_(DIR|FILE)|REQUEST_TIMEOUT_SECONDS|WORKER_COMMAND|CONTROLLER_(USERNAME|PASSWORD|CA_FILE|CERT_FILE|KEY_FILE)'
	passed controller docker-compose.controller.yml \
	    'DCM_CONFIG|STATE_DIR|BIND_ADDRESS|CONTROLLER_PORT|DB_.*|AGENT_(USERNAME|PASSWORD)|TOKEN_KEY_FILE|REDIS_(HOST|PORT)'
}

@test "make's secrets are random, closed to others, and made once" {
	local folder=$dir/made
	"$top/lib/secrets.sh" "$folder" one two
	[ "$(stat -c %a "$folder" "$folder/one" | xargs)" = '700 444' ]
	[ "$(wc -c <"$folder/one")" = 48 ]
	refute cmp -s "$folder/one" "$folder/two"
	cp "$folder/one" "$dir/before"
	chmod 755 "$folder"
	"$top/lib/secrets.sh" "$folder" one two
	cmp "$folder/one" "$dir/before"
	[ "$(stat -c %a "$folder")" = 700 ]
	run "$top/lib/secrets.sh" --need "$folder" one three
	[ "$status" = 1 ]
	[[ $output == *three*missing* ]]
}
