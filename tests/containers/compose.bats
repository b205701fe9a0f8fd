#!/usr/bin/env bats
# compose.bats: the two compose files, run: one controller, and two projects of an agent
# and a worker. Each test leaves all of them running.

load helper

setup_file()
{
	local port pair
	engine_wanted
	port=$(port_free)
	export base=http://127.0.0.1:$port prefix='' status
	for pair in a b; do
		port_free >"$dir/$pair.port"
		echo "http://127.0.0.1:$(cat "$dir/$pair.port")" \
		    >"$dir/$pair.url"
		settings $pair CONTROLLER_PORT="$port" \
		    CONTROLLER_URL="http://host.docker.internal:$port" \
		    WORKER_PORT="$(cat "$dir/$pair.port")" \
		    AGENT_HOSTNAME="agent-$pair" DEFAULT_POLL_INTERVAL=1 \
		    WORKER_CHECK_SECONDS=1 BACKOFF_MAX_SECONDS=2 \
		    ALLOW_CIDR=10.0.0.0/8,172.16.0.0/12,192.168.0.0/16
	done
	{
		deploy a docker-build && deploy a docker-all &&
		target_container && target_joins a
	} >"$dir/up.log" 2>&1 || { tail -n 40 "$dir/up.log" >&2; return 1; }
	wait_until -t 180 all_healthy
}

teardown_file()
{
	containers_gone
}

ready()
{
	curl -sf "$base/ready"
}

# registered NAME: the agent of that host name, as JSON.
registered()
{
	curl -sf -H "X-API-Key: $(secret admin_api_key)" "$base/agents" |
	    jq -c --arg name "$1" '.[] | select(.hostname == $name)' | grep .
}

up_to_date()
{
	registered "$1" | json_true .up_to_date
}

@test "make docker-all starts all three, and each is healthy" {
	every healthy
	request GET /ready
	expect_status 200
	inspect '{{json .Config.Healthcheck.Test}}' controller | grep /ready
	curl -sf "$(cat "$dir/a.url")/health" | json_true '.status == "ok"'
}

fetched_two()
{
	docker logs "$(container worker)" 2>&1 | grep -F 'target:8000/two'
}

@test "the main job goes across the two compose files" {
	wait_until registered agent-a
	registered agent-a | json_true '.id | test("^[0-9a-f-]{36}$")'
	publish one
	expect_status 201
	wait_until hit a one
	wait_until up_to_date agent-a
	request POST /config -u "admin:$(secret admin_password)" \
	    --data '{"url":"http://target:8000/two"}'
	expect_status 201
	wait_until hit a two
	wait_until fetched_two
	request GET /config "X-API-Key: $(secret agent_api_key)" \
	    'If-None-Match: *'
	expect_status 304
	request POST /config 'X-API-Key: wrong' --data '{}'
	expect_status 401
}

# Polls that lighttpd itself answered with a 304; the agent asks each second.
answered_fast()
{
	curl -sf -H "X-API-Key: $(secret admin_api_key)" "$base/metrics" |
	    awk '/^dcm_requests_total{responder="lighttpd".*status="304"/ { n += $2 }
	    END { exit !n }'
}

@test "the fast path answers inside the container" {
	wait_until answered_fast
}

@test "only the controller's and the worker's ports are published" {
	local ports='{{range $p, $b := .NetworkSettings.Ports}}{{range $b}}'
	ports+='{{$p}} {{.HostIp}} {{.HostPort}} {{end}}{{end}}'
	[ "$(inspect "$ports" controller)" = \
	    "8080/tcp 0.0.0.0 ${base##*:} " ]
	[ "$(inspect "$ports" agent)" = '' ]
	[ "$(inspect "$ports" worker)" = \
	    "8082/tcp 127.0.0.1 $(cat "$dir/a.port") " ]
}

@test "the agent's and the controller's networks have nothing in common" {
	local names='{{range $n, $v := .NetworkSettings.Networks}}{{$n}} {{end}}'
	[ "$(inspect "$names" controller)" = \
	    "${project}a-controller_controller " ]
	[ "$(inspect "$names" agent)" = "${project}a_agents " ]
	[ "$(inspect "$names" worker)" = "${project}a_agents " ]
}

users_are_plain()
{
	docker top "$(container "$1")" -eo pid,uid,gid,comm | awk '
	    NR > 1 { n++; print } NR > 1 && ($2 != 10001 || $3 != 10001) {
	    bad = 1 } END { exit bad || !n }'
}

@test "no process runs as root" {
	every users_are_plain
	docker top "$(container controller)" -eo pid,comm | grep config.fcgi
}

locked()
{
	local id
	id=$(container "$1")
	[ "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}}' "$id")" = true ] &&
	docker exec "$id" cat /proc/1/status >"$dir/status" &&
	! grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' "$dir/status" |
	    grep -v '0000000000000000' &&
	grep -P '^NoNewPrivs:\t1' "$dir/status" &&
	! docker exec "$id" sh -c '
	    touch /etc/x || touch /tmp/x || touch /usr/local/bin/x ||
	    touch /run/x || touch /var/tmp/x' 2>/dev/null &&
	! docker exec -u 0 "$id" touch /root/x 2>/dev/null
}

@test "the root is read-only, and no capability is left or to be gained" {
	every locked
}

secrets_are_files()
{
	local id value name
	id=$(container "$1")
	for name in admin_password admin_api_key agent_api_key \
	    worker_api_key; do
		value=$(secret $name)
		[ -n "$value" ] || return 1
		! docker inspect "$id" | grep -F "$value" || return 1
		! docker logs "$id" 2>&1 | grep -F "$value" || return 1
		! docker top "$id" -eo pid,args | grep -F "$value" || return 1
	done
	docker exec "$id" sh -c '! echo x >>/run/secrets/*_api_key' 2>/dev/null
}

@test "secrets are read-only files, and in no setting, argument or log" {
	every secrets_are_files
	# And nobody has another's.
	[ "$(docker exec "$(container worker)" ls /run/secrets)" = \
	    worker_api_key ]
	[ "$(docker exec "$(container agent)" ls /run/secrets | xargs)" = \
	    'agent_api_key worker_api_key' ]
}

@test "a second project of agent and worker joins the same controller" {
	deploy b docker
	target_joins b
	wait_until -t 180 healthy worker b
	wait_until -t 180 healthy agent b
	wait_until registered agent-b
	publish three
	wait_until hit a three
	wait_until hit b three
	wait_until up_to_date agent-a
	wait_until up_to_date agent-b
	[ "$(registered agent-a | jq .id)" != "$(registered agent-b | jq .id)" ]
}

# The whole job, with a page that /hit does not have yet.
job_goes_on()
{
	local page pair
	for page in one two; do
		publish $page || return 1
		for pair in a b; do
			wait_until -t 180 hit $pair $page || {
				docker logs --tail 20 "$(container agent $pair)"
				return 1
			}
		done
	done
}

started_after()
{
	[[ $(inspect '{{.State.StartedAt}}' "$1") > $2 ]] && healthy "$1"
}

# With SIGKILL from outside, as the kernel may: the engine starts it again.
# An engine of another machine or user can only be asked to.
killed()
{
	local before pid
	before=$(inspect '{{.State.StartedAt}}' "$1")
	pid=$(inspect '{{.State.Pid}}' "$1")
	if grep -qs "$(container "$1")" "/proc/$pid/cgroup" &&
	    kill -KILL "$pid"; then
		:
	else
		docker kill "$(container "$1")"
		docker start "$(container "$1")"
	fi
	wait_until -t 90 started_after "$1" "$before" && job_goes_on
}

@test "each container is killed in turn, comes back, and the job goes on" {
	every killed
}

stopped()
{
	docker stop "$(container "$1")" &&
	inspect '{{json .State}}' "$1" &&
	[ "$(inspect '{{.State.ExitCode}}' "$1")" = 0 ] &&
	[ "$(inspect '{{.State.OOMKilled}}' "$1")" = false ] &&
	docker start "$(container "$1")" &&
	wait_until -t 180 healthy "$1" && job_goes_on
}

@test "each container ends with status 0 at docker stop, and starts again" {
	every stopped
}

@test "the controller is removed and made again, and nothing is lost" {
	local key before agents old
	key="X-API-Key: $(secret admin_api_key)"
	job_goes_on
	wait_until up_to_date agent-a
	before=$(curl -sf -D - -H "$key" "$base/config" |
	    grep -ivE '^(date|server|x-request-id)')
	agents=$(registered agent-a | jq -c '[.id, .registered_at]')
	old=$(curl -sf -H "$key" "$base/config/1")
	deploy a docker-controller-down
	refute container controller
	refute curl -sf "$base/health"
	hit a two
	deploy a docker-controller
	wait_until -t 180 ready
	[ "$(curl -sf -D - -H "$key" "$base/config" |
	    grep -ivE '^(date|server|x-request-id)')" = "$before" ]
	[ "$(curl -sf -H "$key" "$base/config/1")" = "$old" ]
	[ "$(registered agent-a | jq -c '[.id, .registered_at]')" = "$agents" ]
	job_goes_on
	# The tokens of before are still good: nobody registered again.
	refute sh -c "docker logs $(container controller) 2>&1 |
	    grep 'POST /register'"
}

@test "agent and worker are removed and made again, and keep their state" {
	local id
	job_goes_on
	id=$(registered agent-b | jq .id)
	target_leaves b
	deploy b docker-down
	refute container agent b
	# Nobody else can give the worker its configuration.
	deploy a docker-controller-down
	deploy b docker
	target_joins b
	wait_until -t 180 hit b two
	deploy a docker-controller
	wait_until -t 180 ready
	job_goes_on
	[ "$(registered agent-b | jq .id)" = "$id" ]
}

agent_failed_to_reach()
{
	docker logs "$(container agent b)" 2>&1 | grep -iE 'warn|error'
}

@test "the agent's side comes first, and waits for the controller" {
	target_leaves b
	compose_of b agent-worker down -v
	deploy a docker-controller-down
	deploy b docker
	target_joins b
	wait_until -t 180 agent_failed_to_reach
	[ "$(inspect '{{.State.Status}} {{.RestartCount}}' agent b)" = \
	    'running 0' ]
	deploy a docker-controller
	wait_until -t 180 ready
	job_goes_on
	wait_until -t 180 healthy agent b
}

written()
{
	local id
	id=$(container "$1")
	# Of the root there are but the points where secrets are mounted.
	docker diff "$id" >"$dir/diff" &&
	! grep -vE ' /run(/secrets(/.*)?)?$' "$dir/diff" &&
	[ -z "$(docker exec -u 0 "$id" find / -xdev -type f -newer /proc/1 \
	    2>/dev/null)" ] &&
	[ -z "$(docker exec "$id" find /dev/shm /tmp /run -type f \
	    -not -path '/run/secrets/*' 2>/dev/null)" ] &&
	# What may be written: the volume, and nothing else on a disk.
	[ "$(docker inspect -f '{{range .Mounts}}{{if .RW}}{{.Type}}
{{- .Destination}} {{end}}{{end}}' "$id")" = 'volume/var/lib/dcm ' ] &&
	[ "$(docker inspect -f '{{json .HostConfig.Tmpfs}}' "$id")" = null ]
}

@test "nothing is written outside the volumes" {
	every written
	docker exec "$(container controller)" sh -c '[ -s controller.db ]'
	docker exec "$(container agent)" sh -c '[ -s agent.state ]'
}

# The lines of the README between two marks, with this test's names.
readme()
{
	sed -n "/<!-- $1 -->/,/<!-- end -->/p" "$top/README.md" |
	    sed -n '/^```sh/,/^```/p' | grep -v '^```' |
	    sed -e "s|backup.db|$dir/&|g" -e "s/^docker compose -p \
dcm-controller -f docker-compose.controller.yml /compose_of a controller /"
}

@test "the README's backup is one: published over, lost, and restored" {
	local version started
	job_goes_on
	request GET /config "X-API-Key: $(secret admin_api_key)"
	version=$(jq .version "$dir/body")
	started=$(inspect '{{.State.StartedAt}}' controller)
	readme 'container backup' >"$dir/backup.sh"
	readme 'container restore' >"$dir/restore.sh"
	grep -q compose_of "$dir/backup.sh" "$dir/restore.sh"
	# shellcheck source=/dev/null
	. "$dir/backup.sh"
	head -c 15 "$dir/backup.db" | grep -x 'SQLite format 3'
	# Nothing was stopped, and nothing is left behind.
	[ "$(inspect '{{.State.StartedAt}}' controller)" = "$started" ]
	refute docker exec "$(container controller)" ls copy.db
	publish three
	wait_until -t 180 hit a three
	# Into a controller that runs, with what it has,
	# shellcheck source=/dev/null
	. "$dir/restore.sh"
	wait_until -t 180 hit a two
	[ "$(inspect '{{.State.StartedAt}}' controller)" = "$started" ]
	request GET /config "X-API-Key: $(secret admin_api_key)"
	[ "$(jq .version "$dir/body")" = $((version + 2)) ]
	# and into a new one, whose volume was lost.
	publish three
	deploy a docker-controller-down
	docker volume rm "${project}a-controller_state"
	deploy a docker-controller
	wait_until -t 180 ready
	# shellcheck source=/dev/null
	. "$dir/restore.sh"
	request GET /config "X-API-Key: $(secret admin_api_key)"
	[ "$(jq .version "$dir/body")" = $((version + 1)) ]
	wait_until -t 180 hit a two
	wait_until -t 180 registered agent-a
	job_goes_on
}

@test "an upgrade, images built again and started, keeps everything" {
	local before
	before=$(registered agent-a | jq -c '[.id, .registered_at]')
	# Another image under the same name, as a new release has.
	printf 'FROM dcm-%s:%s\nLABEL again=yes\n' controller "$DCM_TAG" |
	    docker build -q -t "dcm-controller:$DCM_TAG" -
	deploy a docker-all
	[ "$(inspect '{{index .Config.Labels "again"}}' controller)" = yes ]
	wait_until -t 180 ready
	[ "$(registered agent-a | jq -c '[.id, .registered_at]')" = "$before" ]
	job_goes_on
}

# broker_image NAME PACKAGE ["COMMAND"]: Debian's, where no registry is reached.
broker_image()
{
	docker build -q -t "dcm-$1:$DCM_TAG" - <<-FILE
	FROM debian:bookworm-slim
	RUN apt-get update && apt-get install -y --no-install-recommends $2 && \\
	    install -d -o 999 -g 999 /data
	ENTRYPOINT [${3-}]
	FILE
}

redis_says()
{
	docker exec "$(container redis b)" redis-cli "$@"
}

@test "the redis profile gives the workers a queue that they share" {
	local id
	docker run --rm --entrypoint dcm-worker "dcm-worker:$DCM_TAG" \
	    --help | grep -q QUEUE_URL || skip "the worker has no tasks yet"
	broker_image redis redis-server
	cp "$dir/b.env" "$dir/b.before"
	printf '%s\n' REDIS_IMAGE="dcm-redis:$DCM_TAG" \
	    QUEUE_URL=redis://redis:6379 >>"$dir/b.env"
	compose_of b agent-worker --profile redis up -d
	wait_until -t 180 healthy redis b
	wait_until -t 180 healthy worker b
	[ "$(inspect '{{json .NetworkSettings.Ports}}' redis b)" = '{}' ]
	publish one
	wait_until -t 180 hit b one
	# 503 until the worker has found its Redis
	queued()
	{
		id=$(curl -sf "$(cat "$dir/b.url")/hit?async=true" |
		    jq -r .task_id) && [ -n "$id" ]
	}
	wait_until -t 180 queued || {
		docker logs "$(container worker b)"
		return 1
	}
	curl -sf "$(cat "$dir/b.url")/hit/$id?wait=20" |
	    json_true '.status == "completed" and .body == "one\n"'
	redis_says keys '*' | grep "$id"
	mv "$dir/b.before" "$dir/b.env"
	deploy b docker
	wait_until -t 180 hit b one
	docker rm -fv "$(container redis b)"
}

# told STRATEGY PROFILE PORT: by a broker, although the agent polls once an
# hour. The other one, whom no broker tells, is not to learn of that interval.
told()
{
	local port
	port=$(port_free)
	compose_of b agent-worker stop agent
	cp "$dir/a.env" "$dir/a.before"
	printf '%s\n' REDIS_IMAGE="dcm-redis:$DCM_TAG" \
	    NATS_IMAGE="dcm-nats:$DCM_TAG" HINT_BIND=0.0.0.0 \
	    "$3=$port" DISTRIBUTION_STRATEGY="$1" \
	    "$1_URL=$2://host.docker.internal:$port" >>"$dir/a.env"
	compose_of a controller --profile "$2" up -d
	wait_until -t 180 ready
	request POST '/config?poll_interval=3600' \
	    "X-API-Key: $(secret admin_api_key)" \
	    --data '{"url":"http://target:8000/three"}'
	expect_status 201
	wait_until -t 180 hit a three
	compose_of a agent-worker up -d
	target_joins a || :
	wait_until -t 180 subscribed || {
		docker logs "$(container "$2" a-controller)"
		docker logs "$(container agent)"
		return 1
	}
	request POST '/config?poll_interval=1' \
	    "X-API-Key: $(secret admin_api_key)" \
	    --data '{"url":"http://target:8000/one"}'
	expect_status 201
	wait_until -t 180 hit a one
	compose_of b agent-worker start agent
	docker inspect -f '{{json .HostConfig.PortBindings}}' \
	    "$(container "$2" a-controller)" | grep "$port"
	# A broker that is gone costs messages, and no publish.
	docker rm -fv "$(container "$2" a-controller)"
	publish two
	expect_status 201
	wait_until -t 180 hit a two
	mv "$dir/a.before" "$dir/a.env"
	deploy a docker-all
	wait_until -t 180 ready
	job_goes_on
}

subscribed()
{
	docker logs "$(container agent)" 2>&1 | grep 'subscribed with'
}

@test "the nats profile tells the agents at once" {
	broker_image nats nats-server '"nats-server"'
	told NATS nats NATS_PORT
}

@test "the redis profile of the controller tells the agents at once" {
	broker_image redis redis-server
	told REDIS redis REDIS_PORT
}

@test "make docker-logs shows all three" {
	run deploy a docker-logs
	[ "$status" = 0 ]
	grep -q 'controller_1\|controller-1' <<<"$output"
	grep -q 'agent_1\|agent-1' <<<"$output"
	grep -q 'worker_1\|worker-1' <<<"$output"
}

@test "make docker refuses without the controller's key" {
	mv "$dir/secrets/agent_api_key" "$dir/secrets/away"
	run deploy b docker
	mv "$dir/secrets/away" "$dir/secrets/agent_api_key"
	[ "$status" != 0 ]
	[[ $output == *agent_api_key*missing* ]]
}

@test "make docker-down and docker-all-down end all, and keep the volumes" {
	docker rm -fv "$project-target"
	deploy b docker-down
	refute container agent b
	refute container worker b
	wait_until -t 180 all_healthy
	deploy a docker-all-down
	[ -z "$(docker ps -aq -f "name=$project")" ]
	[ -z "$(docker network ls -q -f "name=$project")" ]
	[ "$(docker volume ls -q -f "name=$project" |
	    grep -vc redis-data)" = 5 ]
}
