# helper.bash: what the tests of the containers stand on, beside that of
# tests/bats. They deploy as the README says, with make's targets; settings
# come from a file of their own, none from the caller or from .env.
#
# Names of projects, the tag of the images and the folder of the secrets are
# the tests' own, so that an engine that is in use is left as it was.

load ../bats/helper
: "${dir:?}" "${top:?}"

# engine_wanted: fails where no engine answers. (tests/run.sh asks first.)
engine_wanted()
{
	"$BATS_TEST_DIRNAME/engine" ask || {
		echo "no container engine answers" >&2
		return 1
	}
	export DCM_TAG=${DCM_TAG:-test}
	export project=dcmt$((RANDOM % 9000 + 1000))
	if docker compose version >/dev/null 2>&1; then
		export compose='docker compose'
	else
		export compose=docker-compose
	fi
	mkdir -p "$dir/secrets"
}

# settings PAIR NAME=value ...: of the project with that letter.
settings()
{
	local pair=$1
	shift
	printf '%s\n' DCM_TAG="$DCM_TAG" SECRETS_DIR="$dir/secrets" "$@" \
	    >"$dir/$pair.env"
}

# deploy PAIR TARGET...: make's targets.
deploy()
{
	local pair=$1
	shift
	deploy_alone make -C "$top" --no-print-directory "$@" \
	    PROJECT="$project$pair" SECRETS_DIR="$dir/secrets" \
	    COMPOSE="$compose --env-file $dir/$pair.env"
}

# compose_of PAIR controller|agent-worker ...: where make has no target.
compose_of()
{
	local name=$project$1 file=$top/docker-compose.$2.yml pair=$1
	[ "$2" != controller ] || name=$name-controller
	shift 2
	# shellcheck disable=SC2086	# two words
	deploy_alone $compose --env-file "$dir/$pair.env" \
	    -p "$name" -f "$file" "$@"
}

deploy_alone()
{
	local keep=() name
	for name in DOCKER_HOST http_proxy https_proxy no_proxy; do
		[ -z "${!name:-}" ] || keep+=("$name=${!name}")
	done
	env -i PATH="$PATH" HOME="$HOME" "${keep[@]}" "$@" 3>&-
}

# container SERVICE [PAIR]: its id, running or not.
container()
{
	local name=$project${2:-a}
	[ "$1" != controller ] || name=${project}a-controller
	docker ps -aq --no-trunc \
	    -f "label=com.docker.compose.project=$name" \
	    -f "label=com.docker.compose.service=$1" | grep .
}

# inspect TEMPLATE SERVICE [PAIR]
inspect()
{
	docker inspect -f "$1" "$(container "${@:2}")"
}

healthy()
{
	[ "$(inspect '{{.State.Health.Status}}' "$@")" = healthy ]
}

all_healthy()
{
	healthy controller && healthy agent && healthy worker
}

# every COMMAND...: with each of the three containers' names behind it.
every()
{
	local service
	for service in controller agent worker; do
		"$@" "$service" || {
			echo "not so of $service: $*" >&2
			return 1
		}
	done
}

secret()
{
	cat "$dir/secrets/$1"
}

# publish PATH: of the target.
publish()
{
	request POST /config "X-API-Key: $(secret admin_api_key)" \
	    --data "{\"url\":\"http://target:8000/$1\"}"
}

# hit PAIR TEXT: whether the worker answers so.
hit()
{
	[ "$(curl -sf --max-time 10 "$(cat "$dir/$1.url")/hit")" = "$2" ]
}

# The target, in a container that has lighttpd: three pages.
target_container()
{
	docker run -d --name "$project-target" --user 10001:10001 \
	    --entrypoint sh "dcm-controller:$DCM_TAG" -c '
	mkdir www && cd www && for p in one two three; do echo $p >$p; done &&
	printf "%s\n" "server.port = 8000" \
	    "server.document-root = \"/var/lib/dcm/www\"" >../conf &&
	exec lighttpd -D -f ../conf' >/dev/null
}

# The target is in the network of the pair, as a machine may be.
target_joins()
{
	docker network connect --alias target "$project${1}_agents" \
	    "$project-target"
}

target_leaves()
{
	docker network disconnect "$project${1}_agents" "$project-target"
}

containers_gone()
{
	local pair
	docker rm -fv "$project-target" >/dev/null 2>&1
	for pair in a b; do
		[ -e "$dir/$pair.env" ] || continue
		compose_of $pair agent-worker --profile redis down -v
		[ $pair = b ] || compose_of $pair controller --profile redis \
		    --profile nats down -v
	done >/dev/null 2>&1
	return 0
}
