# agent_start.bats: how the agent begins: arguments, settings, what it needs.

bats_require_minimum_version 1.5.0
load helper
load agent

@test "--help prints every setting, --version the version" {
	run -0 "$bin/dcm-agent" --help
	for name in CONTROLLER_URL CONTROLLER_API_KEY WORKER_URL STATE_FILE \
	    AGENT_PORT BACKOFF_MAX_SECONDS WORKER_CHECK_SECONDS; do
		grep -q "$name" <<<"$output"
	done
	run -0 "$bin/dcm-agent" --version
	[[ $output =~ ^dcm-agent\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "a strategy that there is not is refused with those that there are" {
	agent_fails DISTRIBUTION_STRATEGY=PIGEON
	grep -q 'DISTRIBUTION_STRATEGY.*PIGEON.*POLLER.*WATCH.*REDIS.*NATS' \
	    <<<"$output"
}

@test "an unknown argument is refused with the way to help" {
	run -2 "$bin/dcm-agent" --frobnicate
	grep -q -- "--frobnicate.*--help" <<<"$output"
	run -2 "$bin/dcm-agent" --config
	grep -q -- '--config' <<<"$output"
}

@test "the committed document is the one that the agent prints and serves" {
	"$bin/dcm-agent" --openapi | cmp - "$top/agent/swagger.yaml"
	agent_run
	request GET /swagger.yaml
	expect_status 200
	expect_header Content-Type 'application/yaml.*'
	cmp "$dir/body" "$top/agent/swagger.yaml"
}

@test "without a controller's URL it stops and names the setting" {
	agent_fails CONTROLLER_URL=
	grep -q 'CONTROLLER_URL is not set' <<<"$output"
}

@test "without a credential it stops and names the settings" {
	agent_fails CONTROLLER_API_KEY=
	grep -q 'CONTROLLER_API_KEY is not set' <<<"$output"
	grep -q 'CONTROLLER_USERNAME' <<<"$output"
	agent_fails CONTROLLER_API_KEY= CONTROLLER_USERNAME=agent
	grep -q 'CONTROLLER_PASSWORD is not set' <<<"$output"
	agent_fails CONTROLLER_API_KEY= CONTROLLER_PASSWORD=secret-word
	grep -q 'CONTROLLER_USERNAME is not set' <<<"$output"
	refute grep -q secret-word <<<"$output"
}

@test "each wrong setting is named with its value and what is allowed" {
	agent_fails AGENT_PORT=70000 BACKOFF_MAX_SECONDS=0 \
	    WORKER_CHECK_SECONDS=1.5 LOG_LEVEL=loud
	grep -q 'AGENT_PORT.*70000.*65535' <<<"$output"
	grep -q 'BACKOFF_MAX_SECONDS.*0.*1.*86400' <<<"$output"
	grep -q 'WORKER_CHECK_SECONDS.*1\.5' <<<"$output"
	grep -q 'LOG_LEVEL.*loud.*debug' <<<"$output"
}

@test "URLs that cannot be right are refused" {
	local url
	for url in ftp://h h:80 http:// http:///x http://u:p@h http://h/?q \
	    'http://h/#f'; do
		agent_fails CONTROLLER_URL="$url"
		grep -q CONTROLLER_URL <<<"$output"
	done
	agent_fails WORKER_URL=unix:/socket
	grep -q WORKER_URL <<<"$output"
}

@test "half of a client certificate, and files that are not there" {
	agent_fails CONTROLLER_CERT_FILE="$top/LICENSE"
	grep -q 'CONTROLLER_KEY_FILE is not set' <<<"$output"
	agent_fails CONTROLLER_CA_FILE="$dir/none.pem"
	grep -q 'CONTROLLER_CA_FILE.*none.pem.*No such file' <<<"$output"
}

@test "metadata that begins like JSON must be JSON" {
	agent_fails AGENT_METADATA='{"rack":'
	grep -q AGENT_METADATA <<<"$output"
	agent_fails AGENT_METADATA="$(head -c 5000 /dev/zero | tr '\0' x)"
	grep -q 'AGENT_METADATA.*4096' <<<"$output"
}

# long LENGTH: so many letters.
long()
{
	head -c "$1" /dev/zero | tr '\0' x
}

# nested LEVELS: an object of so many.
nested()
{
	printf '{"a":%.0s' $(seq "$1")
	printf 1
	printf '}%.0s' $(seq "$1")
}

@test "what no controller would register is refused at the start" {
	agent_fails AGENT_METADATA='{"rack":"\u0000"}'
	grep -q 'AGENT_METADATA.*u0000' <<<"$output"
	agent_fails AGENT_METADATA="$(nested 32)"
	grep -q 'AGENT_METADATA.*31 levels' <<<"$output"
	agent_fails AGENT_METADATA="$(long 4095)"
	grep -q 'AGENT_METADATA.*4096' <<<"$output"
	agent_fails AGENT_METADATA="$(long 4093)\""
	grep -q 'AGENT_METADATA.*4096' <<<"$output"
	agent_fails AGENT_HOSTNAME="$(long 256)"
	grep -q 'AGENT_HOSTNAME.*256 bytes.*255' <<<"$output"
	agent_fails AGENT_IP="$(long 65)"
	grep -q 'AGENT_IP.*65 bytes.*64' <<<"$output"
}

@test "and what is just short enough is registered" {
	controller_start
	controller=$base
	agent_run CONTROLLER_API_KEY="${AGENT_KEY#*: }" AGENT_IP="$(long 64)" \
	    AGENT_METADATA="$(long 4094)" AGENT_HOSTNAME="$(long 255)"
	wait_until registered
	program_stop agent
	rm "$dir/state/agent.state"
	agent_run CONTROLLER_API_KEY="${AGENT_KEY#*: }" \
	    AGENT_METADATA="{\"a\":\"$(long 4088)\"}"
	wait_until registered
	program_stop agent
	rm "$dir/state/agent.state"
	agent_run CONTROLLER_API_KEY="${AGENT_KEY#*: }" \
	    AGENT_METADATA="$(nested 31)"
	wait_until registered
}

@test "a port in use stops it with the address" {
	agent_run
	agent_fails AGENT_PORT="$agent_port" STATE_DIR="$dir/other"
	grep -q "AGENT_PORT.*$agent_port" <<<"$output"
}

@test "two agents do not share a state file" {
	agent_run
	agent_fails
	grep -q 'agent.state is used by another' <<<"$output"
}

@test "settings come from a file too, and the environment goes over it" {
	peers
	cat >"$dir/agent.conf" <<-CONF
	# the agent of these tests
	CONTROLLER_URL='http://127.0.0.1:9'
	export CONTROLLER_API_KEY="from the file"
	AGENT_HOSTNAME=from-the-file
	CONF
	agent_arguments=(--config "$dir/agent.conf")
	agent_run CONTROLLER_API_KEY= AGENT_HOSTNAME=from-the-environment
	wait_until counts controller '.path == "/register"' 1
	asked controller '.[0].headers["x-api-key"] == "from the file" and
	    (.[0].body | fromjson | .hostname) == "from-the-environment"'
}

@test "a settings file that is missing or wrong stops it" {
	agent_arguments=(--config "$dir/none.conf")
	agent_fails
	grep -q 'none.conf' <<<"$output"
	echo 'AGENT_PORT 80' >"$dir/bad.conf"
	agent_arguments=(--config "$dir/bad.conf")
	agent_fails
	grep -q 'bad.conf.*1' <<<"$output"
}

@test "secrets come from files, and are in no log, no process list, no answer" {
	peers
	publish 1
	truth '{"version": 1, "data": {}, "token": "token-secret"}'
	printf 'key-secret\n' >"$dir/key"
	printf 'worker-secret\n' >"$dir/worker-key"
	agent_run CONTROLLER_API_KEY= CONTROLLER_API_KEY_FILE="$dir/key" \
	    WORKER_API_KEY_FILE="$dir/worker-key"
	wait_until applied_is 1
	asked controller '.[0].headers["x-api-key"] == "key-secret"'
	asked worker 'any(.headers["x-api-key"] == "worker-secret")'
	curl -s "$agent/state" >"$dir/answers"
	tr '\0' ' ' <"/proc/$(program_pid agent)/cmdline" >>"$dir/answers"
	refute grep -E 'key-secret|worker-secret|token-secret' \
	    "$dir/answers" "$dir/agent.log"
}

@test "health and state answer, and nothing else does" {
	agent_run
	request GET /health
	expect_status 200
	expect_json '.status == "ok"'
	request HEAD /health
	expect_status 200
	request GET /state
	expect_status 200
	expect_json '(.agent_id | test("^[0-9a-f]{8}-[0-9a-f]{4}-4")) and
	    .last_config_version == 0 and .applied_version == 0 and
	    .etag == null and .config_url == null and .poll_url == null and
	    .strategy == "POLLER" and .controller.registered == false'
	request GET /config
	expect_problem 404
	request POST /state --data '{}'
	expect_problem 405
	expect_header Allow '.*GET.*'
	request GET '/state?x=1'
	expect_problem 400
}

@test "hundreds of requests that never arrive whole delay nobody" {
	agent_run
	python3 - "$agent_port" "$dir/held" <<-'E' 3>&- &
		import socket, sys, time
		held = []
		for n in range(400):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Half")
		    held.append(s)
		open(sys.argv[2], "w").close()
		time.sleep(60)
	E
	local half=$!
	wait_until test -e "$dir/held"
	curl -sf --max-time 20 "$agent/health"
	kill $half
}
