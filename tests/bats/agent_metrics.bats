# agent_metrics.bats: what the agent counts.

load helper
load agent

# metric NAME[{LABELS}]: its value.
metric()
{
	curl -s "$agent/metrics" | awk -v name="$1" '
	    $1 == name { print $2; found = 1 } END { exit !found }'
}

metric_is()
{
	[ "$(metric "$1")" = "$2" ]
}

metric_from()
{
	awk -v value="$(metric "$1")" -v least="$2" \
	    'BEGIN { exit !(value >= least) }'
}

@test "metrics are Prometheus text, each with help and type" {
	agent_run
	request GET /metrics
	expect_status 200
	expect_header Content-Type 'text/plain; version=0.0.4.*'
	awk '/^# HELP/ { help[$3] } /^# TYPE/ { type[$3] }
	    !/^#/ { sub(/[{ ].*/, ""); if (!($0 in help && $0 in type)) exit 1 }
	    END { exit NR < 30 }' "$dir/body"
	metric_is dcm_agent_applied_version 0
	metric_from process_resident_memory_bytes 1000000
	metric_from process_open_fds 5
	metric_from process_start_time_seconds 1000000000
	metric_from dcm_agent_wakeups_total 1
}

@test "polls, registrations and deliveries are counted by their results" {
	peers
	publish 3
	agent_run
	wait_until applied_is 3
	wait_until metric_is 'dcm_agent_registrations_total{result="done"}' 1
	wait_until metric_from 'dcm_agent_polls_total{result="unchanged"}' 2
	metric_is 'dcm_agent_polls_total{result="changed"}' 1
	wait_until metric_is 'dcm_agent_deliveries_total{result="applied"}' 1
	metric_from 'dcm_agent_worker_checks_total{result="answered"}' 1
	wait_until metric_is dcm_agent_applied_version 3
	metric_is dcm_agent_config_version 3
	metric_is dcm_agent_versions_behind 0
	wait_until metric_is dcm_agent_healthy 1
	metric_is dcm_agent_worker_restarts_total 0
	say controller '{"GET /config": [{"status": 401}, {"like": true}]}'
	wait_until metric_is 'dcm_agent_polls_total{result="denied"}' 1
	wait_until metric_is 'dcm_agent_registrations_total{result="done"}' 2
	program_stop worker
	peer_start worker
	wait_until metric_is dcm_agent_worker_restarts_total 1
}

@test "what fails is counted, with the backoff, for each peer apart" {
	peers
	publish 3
	agent_run BACKOFF_MAX_SECONDS=60
	wait_until applied_is 3
	say worker '{"POST /config": {"status": 400}}'
	publish 5
	wait_until metric_is 'dcm_agent_deliveries_total{result="refused"}' 1
	metric_is dcm_agent_versions_behind 2
	say worker '{"POST /config": {"status": 500}}'
	publish 6
	wait_until metric_from 'dcm_agent_deliveries_total{result="failed"}' 2
	metric_from 'dcm_agent_retries_total{peer="worker"}' 1
	metric_from 'dcm_agent_failures{peer="worker"}' 2
	metric_is 'dcm_agent_failures{peer="controller"}' 0
	metric_is 'dcm_agent_backoff_seconds{peer="controller"}' 0
	wait_until metric_is dcm_agent_healthy 0
	say worker '{}'
	say controller '{"GET /config": {"status": 503,
	    "headers": {"Retry-After": "3000"}}}'
	wait_until metric_is 'dcm_agent_failures{peer="controller"}' 1
	metric_from 'dcm_agent_polls_total{result="failed"}' 1
	metric_from 'dcm_agent_backoff_seconds{peer="controller"}' 2900
	wait_until metric_is 'dcm_agent_failures{peer="worker"}' 0
	say controller '{}'
	kill -s HUP "$(program_pid agent)"
	wait_until metric_is 'dcm_agent_failures{peer="controller"}' 0
	metric_from 'dcm_agent_retries_total{peer="controller"}' 1
}

@test "errors of the state file and starts of the worker are counted" {
	peer_start controller
	publish 1
	agent_run WORKER_COMMAND=false
	wait_until metric_from dcm_agent_worker_starts_total 2
	program_stop agent
	peer_start worker
	agent_run STATE_FILE=/dev/full/agent.state
	wait_until metric_from dcm_agent_state_file_errors_total 1
	wait_until applied_is 1
}
