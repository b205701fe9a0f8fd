# worker_hostile.bats: clients that mean ill. hostile.py has the cases; after
# each one a plain request is answered, and no descriptor is left behind.

load worker

setup_file()
{
	target_start
	mkdir "$dir/bin"
	printf '#!/bin/sh\nulimit -n 400\nexec "%s" "$@"\n' "$bin/dcm-worker" \
	    >"$dir/bin/dcm-worker"
	chmod +x "$dir/bin/dcm-worker"
	# few descriptors, so that a crowd can fill them
	bin=$dir/bin worker_start ALLOW_CIDR=127.0.0.1 QUEUE_URL=memory:
}

hostile()
{
	python3 "$top/tests/bats/hostile.py" "$worker_port" \
	    "$(program_pid worker)" "$1"
}

@test "lines that two programs would read in two ways are refused" {
	hostile lines
}

@test "targets, hosts and versions that are none are refused" {
	hostile targets
}

@test "no second request is smuggled behind a length or a coding" {
	hostile framing
}

@test "chunks are read by the letter" {
	hostile chunks
}

@test "what is too long is refused, and the answer arrives" {
	hostile sizes
}

@test "requests sent ahead are answered in order; HEAD, OPTIONS, Expect" {
	hostile order
	hostile expects
}

@test "a request may end at any byte" {
	hostile halves
}

@test "clients of a hit that send no more are answered, those that are gone are not" {
	put "{\"url\":\"$target/hang?hostile\",\"timeout_seconds\":1}"
	hostile hits
	wait_until state '.active_hits == 0'
}

@test "150 slow hits where 136 fit leave room for /health" {
	put "{\"url\":\"$target/hang?full\",\"timeout_seconds\":300}"
	hostile full
	wait_until state '.active_hits == 0'
	state '.hits.crowded > 0'
	request GET /metrics
	grep -q '^dcm_worker_hits_total{end="crowded"} [1-9]' "$dir/body"
}

@test "heads and bodies that do not come are 408 after ten seconds" {
	hostile slow
}

@test "300 half requests where 136 fit delay nobody" {
	hostile crowd
}
