# fleet.bash: a controller with a registered fleet, and the program that plays
# it, for bench scripts; and all of table.bash.

# shellcheck source=tests/bench/table.bash
. "$(dirname "${BASH_SOURCE[0]}")/table.bash"
export ADMIN_API_KEY=${ADMIN_KEY#*: } AGENT_API_KEY=${AGENT_KEY#*: }

# fleet_start AGENTS [NAME=value...]: a controller that has registered so many,
# has put them into its lists, and has published a version.
fleet_start()
{
	local agents=$1
	shift
	controller_start LOG_LEVEL=error "$@"
	request POST /config "$ADMIN_KEY" --data '{"url":"http://127.0.0.1/"}'
	request POST /register "$AGENT_KEY"	# makes the tokens' key
	bench_say "registering $agents agents"
	"$BUILD/bench/muster" "$dir/state/controller.db" "$agents"
	wait_until -t 300 fleet_listed $((agents + 1))
	sleep 1
}

fleet_listed()
{
	request GET '/agents?state=new&limit=1' "$ADMIN_KEY" &&
	    expect_header X-Total-Count "$1"
}

# fleet_stop: ends it and forgets its fleet. What has heartbeats of a million to
# write down may take its time.
fleet_stop()
{
	local children pid
	children=$(pgrep -P "$(program_pid controller)") || :
	program_stop controller || :
	for pid in $children; do
		wait_until -t 120 refute kill -0 "$pid"
	done
	rm -rf "$dir/state"
}

# fleet_play [OPTION VALUE]...: against that controller, with tokens; what it
# found is then told by fleet_value.
fleet_play()
{
	fleet_ask "$base" controller --token-key "$dir/state/token.key" "$@"
}

# fleet_ask URL PROGRAM [OPTION VALUE]...: against what program_start began.
fleet_ask()
{
	local url=$1 program=$2
	shift 2
	"$BUILD/bench/fleet" --url "$url" --pid "$(program_pid "$program")" \
	    --values "$dir/values" "$@" >"$dir/fleet.out"
}

fleet_value()
{
	sed -n "s/^$1=//p" "$dir/values"
}

# Microseconds of processor a poll, of lighttpd and its responders.
fleet_cost()
{
	bench_calc "$(fleet_value lighttpd_us_per_poll) +
	    $(fleet_value responders_us_per_poll)"
}
