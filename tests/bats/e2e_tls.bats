# e2e_tls.bats: the controller behind lighttpd's mod_openssl, with a CA that
# was made for the test.
#
# Each test stands on the one before. The agent runs on; what changes is the
# controller's certificate, and whether it wants one.

load helper
load tls

setup_file()
{
	export TRANSPORT=mount PROGRAMS_STAY=1
	ca trusted
	ca other
	ca clients
	cert clients client DNS:agent
	worker_start
}

# Ends the file at the first failure: the rest would only wait.
setup()
{
	[ ! -e "$dir/broken" ] || skip "an earlier step failed"
	touch "$dir/broken"
	[ ! -e "$dir/agent.port" ] || {
		agent=http://127.0.0.1:$(<"$dir/agent.port")
		base=https://127.0.0.1:$(<"$dir/controller.port")/some/where
	}
	export CURL_HOME=$dir
}

teardown()
{
	[ -z "$BATS_TEST_COMPLETED" ] || rm -f "$dir/broken"
}

begin()
{
	echo 'TLS test begins' >>"$dir/controller.log"
}

# tls_controller CA SUBJECT-ALT-NAME DAYS [LINE ...]: with a certificate like
# that, and the lines in lighttpd's file. curl believes it whatever it is.
tls_controller()
{
	controller_stop
	begin
	cert "$1" server "$2" "$3"
	cat "$dir/$1.pem" >>"$dir/server.pem"	# or lighttpd looks for it
	shift 3
	{
		echo 'server.modules += ( "mod_openssl" )'
		echo 'ssl.engine = "enable"'
		echo "ssl.pemfile = \"$dir/server.pem\""
		echo "ssl.privkey = \"$dir/server.key\""
		printf '%s\n' "$@"
	} >"$dir/mount.conf"
	{
		echo insecure
		echo "cert = $dir/client.pem"
		echo "key = $dir/client.key"
	} >"$dir/.curlrc"
	controller_start DEFAULT_POLL_INTERVAL=1 LOG_LEVEL=debug
}

# agent_secure [NAME=value ...]
agent_secure()
{
	agent_start BACKOFF_MAX_SECONDS=1 CONTROLLER_CA_FILE="$dir/trusted.pem" \
	    LOG_LEVEL=debug "$@"
}

publish()
{
	request POST /config "${ADMIN[@]}" --data "{\"url\":\"$worker/$1\"}"
	expect_status 201
}

worker_has()
{
	[ "$(curl -s "$worker/state" | jq .version)" = "$1" ]
}

agent_state()
{
	[ "$(curl -s "$agent/state" | jq "$1")" = true ]
}

# The agent's last words on the controller.
refused()
{
	wait_until agent_state '.controller.state != "polling" and
	    .controller.last_status == 0 and
	    (.controller.error | test("'"$1"'"; "i"))'
}

# Since the controller's start no agent got as far as a request.
nobody_asked()
{
	tac "$dir/controller.log" | sed '/TLS test begins/q' >"$dir/since"
	refute grep -E '"(POST /register|GET /config)"' "$dir/since"
}

@test "with the CA's certificate an agent registers, reads and reports" {
	tls_controller trusted IP:127.0.0.1 2
	[[ $base = https://* ]]
	publish 1
	agent_secure
	wait_until worker_has 1
	agent_state ".poll_url == \"$base/config\""
	applied()
	{
		request GET /agents "${ADMIN[@]}"
		expect_json '.[0].applied_version == 1 and .[0].up_to_date'
	}
	wait_until applied
	log_has controller '"POST /register" 200'
}

@test "a controller with the certificate of another CA gets no request" {
	tls_controller other IP:127.0.0.1 2
	publish 2
	refused 'certificate'
	nobody_asked
	worker_has 1
}

@test "nor with a certificate of another host" {
	tls_controller trusted DNS:elsewhere.example,IP:127.0.0.2 2
	refused 'alternative|match'
	nobody_asked
	worker_has 1
}

@test "nor with one that has expired" {
	tls_controller trusted IP:127.0.0.1 -1
	refused 'expired'
	nobody_asked
	worker_has 1
}

@test "--check tells what is wrong with the certificate" {
	run env -i PATH="$PATH" STATE_DIR="$dir/second" CONTROLLER_URL="$base" \
	    CONTROLLER_USERNAME=agent CONTROLLER_PASSWORD=agent-secret \
	    WORKER_URL="$worker" "$bin/dcm-agent" --check
	[ "$status" = 1 ]
	grep -q '^controller .*not ok: .*CONTROLLER_CA_FILE' <<<"$output"
}

@test "when the certificate is mended the agent catches up by itself" {
	tls_controller trusted IP:127.0.0.1 2
	wait_until -t 60 worker_has 2
	publish 3
	wait_until worker_has 3
}

@test "a controller that wants certificates gets no poll without one" {
	tls_controller trusted IP:127.0.0.1 2 \
	    'ssl.verifyclient.activate = "enable"' \
	    'ssl.verifyclient.enforce = "enable"' \
	    "ssl.verifyclient.ca-file = \"$dir/clients.pem\""
	publish 4
	refused 'certificate|handshake|alert|SSL|TLS'
	nobody_asked
	worker_has 3
}

@test "nor with one of a CA that it does not know" {
	begin
	cert trusted stranger DNS:agent
	program_stop agent
	agent_secure CONTROLLER_CERT_FILE="$dir/stranger.pem" \
	    CONTROLLER_KEY_FILE="$dir/stranger.key"
	refused 'certificate|handshake|alert|SSL|TLS'
	nobody_asked
	worker_has 3
}

@test "with its certificate the agent polls and delivers" {
	program_stop agent
	agent_secure CONTROLLER_CERT_FILE="$dir/client.pem" \
	    CONTROLLER_KEY_FILE="$dir/client.key"
	wait_until worker_has 4
	agent_state '.controller.error == null'
}
