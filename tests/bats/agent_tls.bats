# agent_tls.bats: the controller is verified, and may verify the agent.

load helper
load agent
load tls

# tls_peers [SUBJECT-ALT-NAME]
tls_peers()
{
	ca trusted
	cert trusted server "${1:-IP:127.0.0.1}"
	mkdir -p "$dir/controller"
	cat "$dir/server.key" "$dir/server.pem" >"$dir/controller/tls.pem"
	peers
	controller=https${controller#http}
	publish 1
}

@test "with its CA a controller over https is believed" {
	tls_peers
	agent_run CONTROLLER_CA_FILE="$dir/trusted.pem"
	wait_until applied_is 1
	wait_until state '.poll_url | startswith("https://")'
}

@test "without its CA, or with another, it gets no credential" {
	tls_peers
	agent_run
	wait_until state '.controller.error | test("certificate")'
	program_stop agent
	ca other
	agent_run CONTROLLER_CA_FILE="$dir/other.pem"
	wait_until state '.controller.error | test("certificate")'
	[ ! -e "$dir/controller/requests" ]
}

@test "nor with a certificate of another name" {
	tls_peers DNS:elsewhere.example
	agent_run CONTROLLER_CA_FILE="$dir/trusted.pem"
	wait_until state '.controller.error | test("no alternative|match")'
	[ ! -e "$dir/controller/requests" ]
}

@test "a controller that wants a certificate gets the agent's" {
	ca clients
	cert clients client DNS:agent
	mkdir -p "$dir/controller"
	cp "$dir/clients.pem" "$dir/controller/"
	tls_peers
	agent_run CONTROLLER_CA_FILE="$dir/trusted.pem"
	wait_until state '.controller.error != null'
	program_stop agent
	agent_run CONTROLLER_CA_FILE="$dir/trusted.pem" \
	    CONTROLLER_CERT_FILE="$dir/client.pem" \
	    CONTROLLER_KEY_FILE="$dir/client.key"
	wait_until applied_is 1
}

@test "a poll_url that leaves TLS is refused" {
	tls_peers
	truth "{\"version\": 1, \"data\": {}, \"poll_url\":
	    \"http://127.0.0.1:${controller##*:}/config\"}"
	agent_run CONTROLLER_CA_FILE="$dir/trusted.pem"
	wait_until state '.controller.error | test("another origin")'
}
