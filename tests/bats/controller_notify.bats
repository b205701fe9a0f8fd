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
	local data='{ "url":"http:\/\/a/é", "n": 9007199254740993,
	    "x": [1.0 ,{}] }' version
	listen redis
	listen nats
	publish "$data"
	expect_status 201
	version=$(jq .version "$dir/body")
	# version 1, of DEFAULT_CONFIG, may still have been under way
	newest()
	{
		tail -n 1 "$dir/heard.$1" | json_true "fromjson.version == \"$version\""
	}
	wait_until newest redis
	wait_until newest nats
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

@test "what makes no version is not told" {
	local version
	listen redis
	listen nats
	publish '{"url":"http://same"}'
	wait_until heard redis 1 .
	publish '{"url":"http://same"}'
	expect_status 200
	request POST '/config?dry_run=true' "${ADMIN[@]}" \
	    --data '{"url":"http://dry"}'
	expect_status 200
	request POST /config "${ADMIN[@]}" 'If-Match: "1-0"' \
	    --data '{"url":"http://stale"}'
	expect_status 412
	publish '{"url":"ftp://wrong"}'
	expect_status 400
	publish '{"url":"http://next"}'
	wait_until heard redis 2 '.|fromjson.config.url == "http://next"'
	wait_until heard nats 2 '.|fromjson.config.url == "http://next"'
}

@test "a rollback is told, and so are DEFAULT_CONFIG and --restore" {
	local settings
	mapfile -t settings <"$dir/controller.env"
	listen redis
	publish '{"url":"http://before"}'
	wait_until heard redis 1 .
	request POST /config/rollback "${ADMIN[@]}" --data '{"version":1}'
	expect_status 201
	wait_until heard redis 2 '.|fromjson.config.url == "http://first"'
	env -i PATH="$PATH" "${settings[@]}" "$bin/dcm-controller" \
	    --backup "$dir/backup"
	publish '{"url":"http://later"}'
	wait_until heard redis 3 .
	env -i PATH="$PATH" "${settings[@]}" "$bin/dcm-controller" \
	    --restore "$dir/backup"
	wait_until heard redis 4 '.|fromjson.config.url == "http://first"'
	[ "$(jq -sr '.[3]|fromjson.version' "$dir/heard.redis")" -gt \
	    "$(jq -sr '.[2]|fromjson.version' "$dir/heard.redis")" ]
	env -i PATH="$PATH" "${settings[@]}" STATE_DIR="$dir/fresh" \
	    "$bin/dcm-controller" --migrate
	wait_until heard redis 5 '.|fromjson | .version == "1" and
	    .config.url == "http://first"'
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
	publish '{"url":"http://up"}'
	expect_status 201
	wait_until heard redis 1 '.|fromjson.config.url == "http://up"'
	wait_until heard nats 1 '.|fromjson.config.url == "http://up"'
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
	publish '{"url":"http://on"}'
	wait_until heard redis 1 '.|fromjson.config.url == "http://on"'
	wait_until heard nats 1 '.|fromjson.config.url == "http://on"'
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
	publish '{"url":"http://secret"}'
	wait_until heard redis 1 '.|fromjson.config.url == "http://secret"'
	wait_until heard nats 1 '.|fromjson.config.url == "http://secret"'
	told_again REDIS_URL="redis://:wr0ng@${redis#*//}" \
	    NATS_URL="nats://me:wr0ng@${nats#*//}"
	publish '{"url":"http://wrong"}'
	expect_status 201
	wait_until said 'redis .* not told .*(WRONGPASS|invalid password)'
	wait_until said 'nats .* not told .*Authorization Violation'
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
	publish '{"url":"http://token"}'
	wait_until heard redis 1 '.|fromjson.config.url == "http://token"'
	wait_until heard nats 1 '.|fromjson.config.url == "http://token"'
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
	publish '{"url":"http://second"}'
	wait_until heard redis 1 '.|fromjson.config.url == "http://second"'
	wait_until heard nats 1 '.|fromjson.config.url == "http://second"'
}

@test "a broker that talks nonsense is not believed" {
	local manner
	for manner in garbage endless kick tls; do
		played $manner
		told_again REDIS_URL="redis://127.0.0.1:$played" \
		    NATS_URL="nats://127.0.0.1:$played"
		publish "{\"url\":\"http://$manner\"}"
		expect_status 201
		wait_until said 'redis at .* is not told'
		wait_until said 'nats at .* is not told'
		[ $manner != tls ] || said 'nats .*it wants TLS'
	done
	# It wanted TLS, and so it was given no credential.
	refute grep -s CONNECT "$dir/played.tls.said"
}

@test "what is larger than NATS takes is not sent, and said so" {
	played small
	told_again NATS_URL="nats://127.0.0.1:$played"
	publish "{\"url\":\"http://$(printf %0100d 1)\"}"
	expect_status 201
	wait_until said 'nats .* more than its max_payload, 100'
	refute grep PUB "$dir/played.small.said"
	publish '{"url":"http://s"}'
	wait_until grep PUB "$dir/played.small.said"
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
