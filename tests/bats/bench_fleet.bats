# bench_fleet.bats: the fleet that `make bench` plays, and its table.

load helper

setup_file()
{
	export PROGRAMS_STAY=1		# it is restarted by a test
	export fleet=${bin%/bin}/bench/fleet muster=${bin%/bin}/bench/muster
	export ADMIN_API_KEY=admin-key-of-the-tests
	export AGENT_API_KEY=agent-key-of-the-tests
	controller_start
	# makes the key of the tokens
	request POST /register "$AGENT_KEY"
	expect_status 200
	"$muster" "$dir/state/controller.db" 50 7
}

# played [OPTION VALUE]...: 50 agents that poll every second; until all have
# the version that is published after one second, which is what the bound of
# a minute is for.
played()
{
	"$fleet" --url "$base" --agents 50 --interval 1 --warm 0 --seconds 60 \
	    --publish-at 1 --until seen --values "$dir/values" "$@"
}

value()
{
	sed -n "s/^$1=//p" "$dir/values"
}

@test "all agents of a small fleet see what is published" {
	played --csv "$dir/csv" --svg "$dir/svg"
	[ "$(value behind)" = 0 ]
	[ "$(value published)" = 1 ]
	[ "$(value refused) $(value failed)" = "0 0" ]
	[ "$(value changed)" -ge 50 ]
	awk -F , '{ seen += $7 } END { exit seen != 50 }' "$dir/csv"
	python3 -c 'import sys, xml.dom.minidom
text = xml.dom.minidom.parse(sys.argv[1]).documentElement.toxml()
assert "50 agents" in text and "99 %" in text' "$dir/svg"
}

@test "agents with tokens of their own are the ones that were registered" {
	played --seed 7 --token-key "$dir/state/token.key" --keep-alive off
	[ "$(value behind) $(value refused)" = "0 0" ]
	version=$(curl -sf "${ADMIN[@]}" "$base/config" | jq .version)
	polled()
	{
		curl -sf "${ADMIN[@]}" "$base/agents?limit=1000" |
		    json_true --argjson v "$version" \
		    'length == 51 and (map(select(.hostname != null and
		    .last_poll != null and .applied_version >= $v - 1)) |
		    length == 50)'
	}
	wait_until polled
}

@test "a played agent whose token is refused registers again" {
	local id
	id=$(curl -sf "${ADMIN[@]}" "$base/agents?limit=1000" |
	    jq -r 'map(select(.hostname == "agent-0000049")) | .[0].id')
	request POST "/agents/$id/token" "$ADMIN_KEY"
	expect_status 200
	sleep 2.5		# until every process knows
	played --seed 7 --token-key "$dir/state/token.key"
	[ "$(value behind) $(value registered) $(value refused)" = "0 1 1" ]
}

@test "a fleet whose credential is wrong is told what the controller says" {
	AGENT_API_KEY=wrong run -1 "$fleet" --url "$base" --seconds 1
	[[ $output == *"answers 401 to an agent"* ]]
}

@test "a fleet without a controller says that nobody answers" {
	run -1 "$fleet" --url "http://127.0.0.1:$(port_free)" --seconds 1
	[[ $output == *"does not answer"* ]]
}

@test "the controller's restart is survived, and the peak after it is told" {
	rm -f "$dir/played"	# that of another test
	# after so long an absence some wait for most of a minute
	played --publish-at 8 --seconds 300 --connections 10 \
	    >"$dir/played" 2>&1 &
	local player=$!
	wait_until grep -q "has version" "$dir/played"
	controller_stop
	sleep 9		# it is published meanwhile, and everybody asks
	controller_again
	wait "$player"
	[ "$(value behind)" = 0 ]
	[ "$(value failed)" -gt 0 ]
	grep -q 'after away' "$dir/played"
}

@test "agents behind a proxy that speaks HTTP/2 see what is published" {
	played --connections 1 --streams 8
	[ "$(value behind) $(value refused) $(value failed)" = "0 0 0" ]
	[ "$(value published)" = 1 ]
}

@test "what a server says that it has not begun is asked again by HTTP/2" {
	local port
	port=$(port_free)
	program_start second python3 "$BATS_TEST_DIRNAME/second.py" "$port"
	wait_until grep -q listens "$dir/second.log"
	"$fleet" --url "http://127.0.0.1:$port" --agents 50 --interval 0 \
	    --warm 0 --seconds 8 --timeout 5 --connections 1 --streams 8 \
	    --values "$dir/values"
	# what hung would have failed after five seconds
	[ "$(value refused) $(value failed)" = "0 0" ]
	grep -q 'went away from [1-9]' "$dir/second.log"
	grep -q 'refused one' "$dir/second.log"
	[ "$(grep -c 'a connection' "$dir/second.log")" -ge 2 ]
	program_stop second
}

@test "an end right behind an answer is heard by HTTP/2" {
	local port
	port=$(port_free)
	program_start ends python3 "$BATS_TEST_DIRNAME/second.py" "$port" ends
	wait_until grep -q listens "$dir/ends.log"
	# one that is not heard is waited for longer than this takes
	"$fleet" --url "http://127.0.0.1:$port" --agents 50 --interval 0 \
	    --warm 0 --seconds 4 --timeout 60 --connections 1 --streams 8 \
	    --values "$dir/values"
	[ "$(grep -c 'a connection' "$dir/ends.log")" -ge 5 ]
	program_stop ends
}

@test "a played agent whose token is refused registers again by HTTP/2" {
	local id
	id=$(curl -sf "${ADMIN[@]}" "$base/agents?limit=1000" |
	    jq -r 'map(select(.hostname == "agent-0000048")) | .[0].id')
	request POST "/agents/$id/token" "$ADMIN_KEY"
	expect_status 200
	sleep 2.5		# until every process knows
	played --seed 7 --token-key "$dir/state/token.key" --streams 8
	[ "$(value behind) $(value failed)" = "0 0" ]
	[ "$(value registered)" -ge 1 ]
	[ "$(value refused)" = "$(value registered)" ]
}

@test "the controller's restart is survived by HTTP/2, a kill as well" {
	local how player
	for how in TERM KILL; do
		rm -f "$dir/played"
		played --publish-at 8 --streams 8 >"$dir/played" 2>&1 &
		player=$!
		wait_until grep -q "has version" "$dir/played"
		program_stop controller "$how"
		sleep 2
		controller_again
		wait "$player"
		[ "$(value behind)" = 0 ]
		[ "$(value failed)" -gt 0 ]
	done
}

# answers NAME PORT HEAD: a server that answers each caller with that and
# closes; prints the port he came from, and how he began.
answers()
{
	program_start "$1" python3 -c '
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    caller, (_, port) = listening.accept()
    print(port, caller.recv(4096)[:14], flush=True)
    caller.sendall(sys.argv[2].encode() + b"\r\nConnection: close\r\n"
        b"Content-Length: 0\r\n\r\n")
    caller.close()' "$2" "$3"
}

@test "a server that speaks no HTTP/2 is said not to answer" {
	local port
	port=$(port_free)
	answers old "$port" 'HTTP/1.1 400 Bad Request'
	wait_until curl -s -o "$dir/old" "http://127.0.0.1:$port/"
	run -1 "$fleet" --url "http://127.0.0.1:$port" --streams 8 --seconds 1
	[[ $output == *"does not answer"* ]]
	grep -qF 'PRI * HTTP/2.0' "$dir/old.log"
	program_stop old
}

@test "of an option that is given twice the last one counts" {
	run -1 "$fleet" --agents 7 --agents 9 --url "http://127.0.0.1:$(port_free)"
	[[ $output == *"fleet: 9 agents"* ]]
}

@test "with a connection each, the same ports come again and again" {
	local port
	port=$(port_free)
	answers ports "$port" $'HTTP/1.1 200 OK\r\nETag: "1-0123456789abcdef"'
	wait_until curl -sf "http://127.0.0.1:$port/"
	"$fleet" --url "http://127.0.0.1:$port" --agents 50 --interval 0 \
	    --connections 2 --seconds 5 --keep-alive off --sources 200
	# 128 of each address: but for curl, the first, and what others have
	awk '{ n++ } $1 >= 33000 && $1 < 33128 { again++ }
	    END { exit !(n > 100 && again > n * 0.9) }' "$dir/ports.log"
	program_stop ports
}

@test "wrong options are refused with a reason" {
	local given
	while IFS='|' read -r given reason; do
		# shellcheck disable=SC2086	# words
		run -2 "$fleet" $given
		[[ $output == *"$reason"* ]] || {
			echo "$given: $output" >&2
			return 1
		}
	done <<-ROWS
	--agnets 5|there is no option "--agnets"
	--agents|--agents has no value
	--agents none|"none" is not a whole number
	--agents 0|from 1 to
	--url http://192.0.2.1:80|--url is http://127.x.x.x:PORT
	--url http://127.0.0.1:80000|--url is http://127.x.x.x:PORT
	--subscribe ftp://127.0.0.1:1|redis:// or nats://
	--hold 5 --connections 10|each held poll has a connection
	--hold 5 --connections 10 --streams 8|--connections 125 at least
	--interval 0 --agents 5|twice as many agents
	--streams 8 --keep-alive off|--streams wants connections that are kept
	--until seen|needs --publish-at
	--keep-alive maybe|one of on, off
	ROWS
	ADMIN_API_KEY='' run -2 "$fleet" --publish-at 1
	[[ $output == *"needs ADMIN_API_KEY"* ]]
	AGENT_API_KEY='' run -2 "$fleet"
	[[ $output == *"no credential"* ]]
	"$fleet" --help | grep -q -- --token-key
}

@test "a row of the table holds or does not by its aim" {
	cat >"$dir/rows.sh" <<-SCRIPT
	. "$top/tests/bench/table.bash"
	bench_row area "as much" 12 10 us 'x<=1.2'
	bench_row area "too much" 13 10 us 'x<=1.2'
	bench_row area "enough" 30000 - polls/s '>=30000'
	bench_row area "not enough" 29999 - polls/s '>=30000'
	bench_row area "only told" 5 - ms -
	bench_skip area "left out" "no peer"
	echo "median \$(printf '%s\n' 3 1 2 | bench_median)"
	bench_row area "nonsense" few - ms - || echo refused
	SCRIPT
	BENCH_ROWS='' run bash "$dir/rows.sh"
	[[ $output == *"median 2"*"refused"* ]]
	said()
	{
		grep -qE "^  $1 .* $2\$" <<<"$output"
	}
	said 'as much' yes
	said 'too much' NO
	said enough yes
	said 'not enough' NO
	said 'only told' -
	said 'left out' 'not run: no peer'
	[[ $output == *cores*Linux* ]]
}
