# broker.bash: real brokers for the tests. `load helper`, then `load broker`.
# One of each a file (or test): started again, it has the port it had.

# shellcheck disable=SC2154	# helper's: dir

# redis_start [OPTION ...]: sets $redis, its URL without a credential.
redis_start()
{
	port_kept redis
	redis=redis://127.0.0.1:$(<"$dir/redis.port")
	export redis
	mkdir -p "$dir/redis"
	program_start redis redis-server --port "${redis##*:}" \
	    --bind 127.0.0.1 --dir "$dir/redis" --save '' "$@"
	wait_until port_open "${redis##*:}"
}

# redis_says WORD ...: of redis-cli, with $redis_credential.
redis_says()
{
	# shellcheck disable=SC2086	# words
	redis-cli -p "$(<"$dir/redis.port")" ${redis_credential-} "$@" \
	    2>/dev/null
}

# nats_start [NAME [OPTION ...]]: sets $nats. NAME: nats.
nats_start()
{
	local name=${1:-nats}
	port_kept "$name"
	nats=nats://127.0.0.1:$(<"$dir/$name.port")
	export nats
	program_start "$name" nats-server -a 127.0.0.1 -p "${nats##*:}" \
	    "${@:2}"
	wait_until port_open "${nats##*:}"
}

# listen redis|nats [USER PASSWORD | TOKEN]: payloads go to $dir/heard.NAME,
# a line of JSON text each.
listen()
{
	program_start "listen.$1" python3 "$BATS_TEST_DIRNAME/broker.py" \
	    "listen-$1" "$(<"$dir/$1.port")" "$dir/heard.$1" "${@:2}"
	wait_until test -e "$dir/heard.$1.ready"
}

# played MANNER: a broker that misbehaves; sets $played, its port.
played()
{
	program_start "play.$1" python3 "$BATS_TEST_DIRNAME/broker.py" \
	    play "$1" "$dir/played.$1"
	wait_until test -s "$dir/played.$1"
	played=$(<"$dir/played.$1")
	export played
}
