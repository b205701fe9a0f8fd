# controller_notify.bats: each version is told to Redis and to NATS, and a
# broker that is down, slow or hostile never fails a publish.
# transports: standalone mount cgi

load helper
load broker

setup_file()
{
	export PROGRAMS_STAY=1
	redis_start
	nats_start
	controller_start REDIS_URL="$redis/2" NATS_URL="$nats" \
	    DEFAULT_CONFIG='{"url":"http://first"}'
	request GET /health
}

setup()
{
	redis=redis://127.0.0.1:$(<"$dir/redis.port")
	nats=nats://127.0.0.1:$(<"$dir/nats.port")
	touch "$dir/controller.log"
	lines=$(wc -l <"$dir/controller.log")
	rm -f "$dir/commands.log"
}

teardown()
{
	local name
	for name in $(cd "$dir" && echo listen.*.pid play.*.pid own.*.pid); do
		[ ! -e "$dir/$name" ] || program_stop "${name%.pid}"
	done
	rm -f "$dir"/heard.* "$dir"/played.*
}

publish()
{
	request POST /config "${ADMIN[@]}" --data "$1"
}

# hears URL BROKER...: each was told of a version whose URL begins so.
hears()
{
	local broker
	for broker in "${@:2}"; do
		jq -se --arg url "$1" 'any(.[] | fromjson | .config.url;
		    startswith($url))' "$dir/heard.$broker" || return
	done
}

# told_last BROKER FILTER: what it was told last is so.
told_last()
{
	tail -n 1 "$dir/heard.$1" | json_true "fromjson | $2"
}

# late: a broker was not told of a version since the test began, and the
# programs said so. It is not, when it is late by a part of a second: there is
# another try.
late()
{
	said 'is not told' || grep -s 'is not told' "$dir/commands.log"
}

# comes CHECK...: it holds, however long that takes, if no broker was late.
comes()
{
	wait_until holds_or_late "$@"
	wait_until -t 5 "$@"
}

holds_or_late()
{
	"$@" || late
}

# tells URL CHECK...: publishes URL/1, and others, until CHECK holds of one.
tells()
{
	local try
	for try in 1 2 3 4; do
		publish "{\"url\":\"$1/$try\"}"
		expect_status 201 || return
		! comes "${@:2}" || return 0
		late || return
	done
	return 1
}

# told_again NAME=value ...: the controller with other settings.
told_again()
{
	controller_stop
	controller_settings "$@"
	controller_again
	lines=$(wc -l <"$dir/controller.log")
}

# said PATTERN: in the controller's log, since told_again.
said()
{
	tail -n "+$((lines + 1))" "$dir/controller.log" | grep -E -- "$1"
}

latest()
{
	redis_says -n 2 get latest_config | json_true "$1"
}

@test "a version is told to both, as the contract says, byte for byte" {
	local data version try
	listen redis
	listen nats
	newest()
	{
		told_last redis ".version == \"$version\"" &&
		    told_last nats ".version == \"$version\""
	}
	for try in 1 2 3 4; do
		data='{ "url":"http:\/\/a/é", "n": 9007199254740993,
		    "x": [1.0 ,{}], "try": '$try'}'
		publish "$data"
		expect_status 201
		version=$(jq .version "$dir/body")
		! comes newest || break
		late
	done
	printf '{"version":"%s","config":%s,"timestamp":"' "$version" "$data" \
	    >"$dir/want"
	for broker in redis nats; do
		tail -n 1 "$dir/heard.$broker" | jq -j . >"$dir/got"
		cmp -n "$(stat -c %s "$dir/want")" "$dir/want" "$dir/got"
		tail -c +$(($(stat -c %s "$dir/want") + 1)) "$dir/got" |
		    grep -xE '20[0-9-]{8}T[0-9:]{8}Z"}'
	done
	redis_says -n 2 --raw get latest_config | head -c -1 |
	    cmp - "$dir/got"
	[ "$(redis_says -n 2 ttl latest_config)" -gt 86000 ]
	[ "$(redis_says -n 2 ttl latest_config)" -le 86400 ]
	# its time is the version's
	request GET '/config/history?limit=1' "${ADMIN[@]}"
	[ "$(jq -r '.[0].created_at[:19]' "$dir/body")Z" = \
	    "$(jq -r .timestamp "$dir/got")" ]
}

# once TRY: what makes no version is tried between two that do; both brokers
# hear those two, each once.
once()
{
	local broker n
	declare -A line
	for broker in redis nats; do
		line[$broker]=$(($(wc -l <"$dir/heard.$broker") + 1))
	done
	publish "{\"url\":\"http://same/$1\"}" && expect_status 201 &&
	    comes hears "http://same/$1" redis nats || return
	for n in 1 2 3 4 5 6 7 8; do	# for each process of the pool
		publish "{\"url\":\"http://same/$1\"}" &&
		    expect_status 200 &&
		    request POST '/config?dry_run=true' "${ADMIN[@]}" \
		    --data '{"url":"http://dry"}' && expect_status 200 &&
		    request POST /config "${ADMIN[@]}" 'If-Match: "1-0"' \
		    --data '{"url":"http://stale"}' && expect_status 412 &&
		    publish '{"url":"ftp://wrong"}' && expect_status 400 ||
		    return
	done
	publish "{\"url\":\"http://next/$1\"}" && expect_status 201 &&
	    comes hears "http://next/$1" redis nats || return
	for broker in redis nats; do
		tail -n "+${line[$broker]}" "$dir/heard.$broker" |
		    jq -se --arg n "$1" 'map(fromjson.config.url) ==
		    ["http://same/" + $n, "http://next/" + $n]' || return
	done
}

@test "what makes no version is not told" {
	local try clean=
	listen redis
	listen nats
	touch "$dir/heard.redis" "$dir/heard.nats"
	# a version whose answer is late is told again, on a new connection
	for try in 1 2 3 4; do
		! once $try || { clean=1; break; }
	done
	[ -n "$clean" ]
	refute grep -E 'dry|stale|wrong' "$dir/heard.redis" "$dir/heard.nats"
}

@test "a rollback is told, and so are DEFAULT_CONFIG and --restore" {
	local settings try first='.config.url == "http://first"' later
	mapfile -t settings <"$dir/controller.env"
	configured()
	{
		env -i PATH="$PATH" "${settings[@]}" "$@" \
		    2>>"$dir/commands.log"
	}
	listen redis
	for try in 1 2 3 4; do
		tells "http://before/$try" hears "http://before/$try" redis
		request POST /config/rollback "${ADMIN[@]}" \
		    --data '{"version":1}'
		expect_status 201
		! comes told_last redis "$first" || break
		late
	done
	told_last redis "$first"
	configured "$bin/dcm-controller" --backup "$dir/backup"
	for try in 1 2 3 4; do
		tells "http://later/$try" hears "http://later/$try" redis
		later=$(tail -n 1 "$dir/heard.redis" | jq -r fromjson.version)
		configured "$bin/dcm-controller" --restore "$dir/backup"
		! comes told_last redis "$first" || break
		late
	done
	told_last redis "$first and (.version | tonumber) > $later"
	for try in 1 2 3 4; do
		configured STATE_DIR="$dir/fresh.$try" \
		    "$bin/dcm-controller" --migrate
		! comes told_last redis \
		    "$first and .version == \"1\"" || break
		late
	done
	told_last redis "$first and .version == \"1\""
}

@test "a broker that is down fails no publish, and is told when it is back" {
	program_stop redis KILL
	program_stop nats KILL
	for n in 1 2 3; do
		publish "{\"url\":\"http://down/$n\"}"
		expect_status 201
	done
	wait_until log_has controller 'redis at .* is not told of version'
	wait_until log_has controller 'nats at .* is not told of version'
	redis_start
	nats_start
	listen redis
	listen nats
	tells http://up hears http://up redis nats
}

@test "a broker that is paused fails no publish" {
	kill -STOP "$(program_pid redis)" "$(program_pid nats)"
	for n in 1 2 3; do
		publish "{\"url\":\"http://paused/$n\"}" || break
		[ "$status" = 201 ] || break
	done
	kill -CONT "$(program_pid redis)" "$(program_pid nats)"
	expect_status 201
	wait_until log_has controller 'it does not answer'
	listen redis
	listen nats
	tells http://on hears http://on redis nats
}

@test "a failure that goes on is not a line for each version" {
	[ "$TRANSPORT" != cgi ] || skip "each request is a process"
	told_again REDIS_URL=redis://127.0.0.1:9
	for n in {1..20}; do
		publish "{\"url\":\"http://quiet/$n\"}"
		expect_status 201
	done
	# One a process of the pool.
	[ "$(said 'is not told' | wc -l)" -le 8 ]
	[ "$(said 'is not told' | wc -l)" -ge 1 ]
}

@test "a password for Redis, and a user with one for NATS" {
	program_stop redis
	program_stop nats
	redis_start --requirepass 'p@ss'
	nats_start nats --user me --pass 'p@ss'
	redis_credential='-a p@ss'
	export REDISCLI_AUTH=
	listen redis 'p@ss'
	listen nats me 'p@ss'
	told_again REDIS_URL="redis://:p%40ss@${redis#*//}" \
	    NATS_URL="nats://me:p%40ss@${nats#*//}"
	tells http://secret hears http://secret redis nats
	told_again REDIS_URL="redis://:wr0ng@${redis#*//}" \
	    NATS_URL="nats://me:wr0ng@${nats#*//}"
	refused()
	{
		said 'redis .* not told .*(WRONGPASS|invalid password)' &&
		    said 'nats .* not told .*Authorization Violation'
	}
	tells http://wrong refused
	refute log_has controller 'wr0ng|p@ss|p%40ss'
}

@test "a token for NATS, a user of Redis, and URLs in files" {
	program_stop redis
	program_stop nats
	redis_start --user default off --user me on '>pass' allcommands \
	    allkeys allchannels
	nats_start nats --auth tok-en
	listen redis me pass
	listen nats tok-en
	echo "redis://me:pass@${redis#*//}" >"$dir/redis.url"
	echo "nats://tok-en@${nats#*//}" >"$dir/nats.url"
	told_again REDIS_URL_FILE="$dir/redis.url" \
	    NATS_URL_FILE="$dir/nats.url"
	tells http://token hears http://token redis nats
	refute log_has controller tok-en
	program_stop redis
	program_stop nats
	redis_start
	nats_start
}

@test "REDIS_HOST and REDIS_PORT, and the second of two servers" {
	listen redis
	listen nats
	told_again REDIS_HOST=localhost REDIS_PORT="${redis##*:}" \
	    NATS_URL="nats://127.0.0.1:9,nats://localhost:${nats##*:}"
	tells http://second hears http://second redis nats
}

@test "a broker that talks nonsense is not believed" {
	local manner
	failed()
	{
		said 'redis at .* is not told' &&
		    said 'nats at .* is not told' &&
		    { [ "$manner" != tls ] || said 'nats .*it wants TLS'; }
	}
	for manner in garbage endless kick tls; do
		played $manner
		told_again REDIS_URL="redis://127.0.0.1:$played" \
		    NATS_URL="nats://127.0.0.1:$played"
		tells "http://$manner" failed
	done
	# It wanted TLS, and so it was given no credential.
	refute grep -s CONNECT "$dir/played.tls.said"
}

@test "what is larger than NATS takes is not sent, and said so" {
	played small
	told_again NATS_URL="nats://127.0.0.1:$played"
	tells "http://$(printf %0100d 1)" \
	    said 'nats .* more than its max_payload, 100'
	refute grep PUB "$dir/played.small.said"
	tells http://s grep PUB "$dir/played.small.said"
}

@test "a name that nobody resolves fails no publish" {
	told_again REDIS_URL=redis://no-such-host.invalid \
	    NATS_URL=nats://no-such-host.invalid
	publish '{"url":"http://unresolved"}'
	expect_status 201
	wait_until said 'redis at no-such-host.invalid .* is not told'
	wait_until said 'nats at no-such-host.invalid .* is not told'
}

@test "a wrong URL is refused with the setting's name, without the secret" {
	local settings
	mapfile -t settings <"$dir/controller.env"
	for wrong in REDIS_URL=rediss://:s3cret@h REDIS_URL=redis://s3cret@h \
	    NATS_URL=nats://u:s3cret@h:x NATS_URL=s3cret; do
		run env -i PATH="$PATH" "${settings[@]}" REDIS_URL= \
		    NATS_URL= "$wrong" "$bin/dcm-controller" --check
		[ "$status" = 1 ]
		[[ $output == *"${wrong%%=*}"* ]]
		[[ $output != *s3cret* ]]
	done
}
