# controller_metrics.bats: what is counted, over all processes, and what is
# logged of each request.
# transports: standalone mount cgi

load helper

setup_file()
{
	controller_start LOG_FORMAT=json LOG_LEVEL=debug
	request POST /config "$ADMIN_KEY" --data \
	    '{"data":{"url":"http://one"},"poll_interval_seconds":30}'
}

# scrape: the metrics, in $dir/metrics.
scrape()
{
	request GET /metrics "$ADMIN_KEY" && expect_status 200 &&
	    cp "$dir/body" "$dir/metrics"
}

# metric NAME [LABEL=VALUE ...]: the sum of the samples with those labels, in
# the last scrape.
metric()
{
	awk -v name="$1" -v labels="${*:2}" '
	BEGIN { n = split(labels, want, " ") }
	{
		if ($1 != name && index($1, name "{") != 1)
			next
		for (i = 1; i <= n; i++) {
			at = index(want[i], "=")
			label = substr(want[i], 1, at) "\"" \
			    substr(want[i], at + 1) "\""
			if (index($1, "{" label) == 0 &&
			    index($1, "," label) == 0)
				next
		}
		sum += $2
	}
	END { printf "%.15g\n", sum }' "$dir/metrics"
}

# metric_is NUMBER NAME [LABEL=VALUE ...]: after a new scrape.
metric_is()
{
	local want=$1
	shift
	scrape || return
	[ "$(metric "$@")" = "$want" ] && return
	echo "$*: $(metric "$@"), not $want" >&2
	return 1
}

@test "the metrics are Prometheus text, for administrators" {
	scrape
	expect_header Content-Type 'text/plain; version=0.0.4; charset=utf-8'
	expect_header Cache-Control no-store
	# each sample is one of a family that was declared before it
	awk '
	/^# HELP [a-z_]+ ./ { help[$3] = 1; next }
	/^# TYPE [a-z_]+ (counter|gauge|histogram)$/ { type[$3] = $4; next }
	/^[a-z_]+({([a-z]+="([^"\\]|\\.)*",?)+})? -?[0-9.]+$/ {
		name = $1
		sub(/{.*/, "", name)
		if (!(name in type))
			sub(/_(bucket|sum|count)$/, "", name)
		if (name in help && name in type)
			next
	}
	{ print "what is this: " $0; bad = 1 }
	END { exit bad }' "$dir/metrics"
	request GET /metrics "$AGENT_KEY"
	expect_problem 403
	request GET /metrics
	expect_problem 401
}

@test "requests are counted by responder, route and status" {
	scrape
	before=$(metric dcm_requests_total route=/config/'{version}' status=200)
	missing=$(metric dcm_requests_total status=404)
	for n in 1 2 3; do
		request GET /config/1 "$AGENT_KEY"
		request GET "/nothing-$n"
	done
	request HEAD /config/1 "$AGENT_KEY"
	request GET /config/9 "$AGENT_KEY"
	expect_problem 404
	scrape
	[ "$(metric dcm_requests_total 'route=/config/{version}' method=GET \
	    responder=config status=200)" = $((before + 4)) ]
	[ "$(metric dcm_requests_total status=404)" = $((missing + 4)) ]
	[ "$(metric dcm_requests_total status=404 route=none)" -ge 3 ]
	# what a stranger made up is no label
	refute grep -q nothing- "$dir/metrics"
	[ "$(metric dcm_request_duration_seconds_count \
	    'route=/config/{version}')" = \
	    "$(metric dcm_request_duration_seconds_bucket \
	    'route=/config/{version}' le=+Inf)" ]
	[ "$(metric dcm_request_duration_seconds_count \
	    'route=/config/{version}')" -ge 5 ]
}

@test "the share of unchanged polls is there" {
	request GET /config "$AGENT_KEY"
	tag=$(header ETag)
	for n in 1 2 3; do
		request GET /config "$AGENT_KEY" "If-None-Match: $tag"
		expect_status 304
	done
	scrape
	same=$(metric dcm_polls_total answer=304)
	all=$(metric dcm_polls_total)
	[ "$same" -ge 3 ]
	[ "$all" -gt "$same" ]
	awk -v share="$(metric dcm_polls_unchanged_ratio)" -v same="$same" \
	    -v all="$all" 'BEGIN {
		d = share - same / all
		exit !(d < 0.00001 && d > -0.00001) }'
}

@test "the version, the interval and the fleet are gauges" {
	metric_is 1 dcm_config_version
	[ "$(metric dcm_poll_interval_seconds)" = 30 ]
	awk -v at="$(metric dcm_config_published_timestamp_seconds)" \
	    -v now="$(date +%s)" 'BEGIN { exit !(at > now - 600 &&
	    at < now + 2) }'
	[ "$(metric dcm_agents)" = 0 ]
	request POST /register "$AGENT_KEY" --data '{}'
	metric_is 1 dcm_agents state=new
	request POST /register "$AGENT_KEY" --data '{}'
	id=$(jq -r .agent_id "$dir/body")
	bearer="Authorization: Bearer $(jq -r .token "$dir/body")"
	request POST "/agents/$id/status" "$bearer" --data \
	    '{"applied_version":1,"state":"ok"}'
	metric_is 1 dcm_agents state=ok
	[ "$(metric dcm_agents state=new)" = 1 ]
	[ "$(metric dcm_agents)" = 2 ]
	[ "$(metric dcm_agents_up_to_date)" = 1 ]
	[ "$(metric dcm_publish_to_applied_seconds_count)" = 1 ]
	[ "$(metric dcm_publish_to_applied_seconds_bucket le=60)" = 1 ]
	request POST "/agents/$id/status" "$bearer" --data \
	    '{"applied_version":1,"state":"failed"}'
	metric_is 1 dcm_agents state=failed
	[ "$(metric dcm_agents state=ok)" = 0 ]
	[ "$(metric dcm_publish_to_applied_seconds_count)" = 1 ]
}

# responders NAME: the pids of that program that serve this test.
responders()
{
	local pid
	for pid in /proc/[0-9]*; do
		pid=${pid#/proc/}
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == \
		    *"/$1.fcgi"* ]] &&
		    [ "$(sed 's/.*) . \([0-9]*\).*/\1/' \
		    "/proc/$pid/stat" 2>/dev/null)" = \
		    "$(program_pid controller)" ] && echo "$pid"
	done
	return 0
}

config_answers()
{
	request GET /config "$AGENT_KEY" && expect_status 200
}

@test "after a responder is killed no counter falls" {
	[ "$TRANSPORT" != cgi ] || skip "no process lives on"
	for n in 1 2 3 4 5 6 7 8; do
		config_answers
	done
	scrape
	cp "$dir/metrics" "$dir/metrics.before"
	before=$(metric dcm_polls_total)
	pids=$(responders config)
	[ "$(wc -w <<<"$pids")" = 2 ]
	# all of the pool: whoever counted is gone
	for pid in $pids; do
		kill -s KILL "$pid"
	done
	wait_until config_answers
	scrape
	[ "$(metric dcm_polls_total)" -gt "$before" ]
	awk '
	/^#/ || /^dcm_(agents|config|poll_interval|polls_unchanged)/ { next }
	FNR == NR { before[$1] = $2; next }
	{ now[$1] = $2 }
	END {
		for (name in before)
			if (now[name] < before[name]) {
				print name ": " before[name] ", " now[name]
				bad = 1
			}
		exit bad
	}' "$dir/metrics.before" "$dir/metrics"
}

@test "each request has one line of the log, with its id, in JSON" {
	request GET /config "$AGENT_KEY" 'X-Request-ID: line-1'
	request GET '/x%22%7b%5c' 'X-Request-ID: line-2"}{"x":"'
	request DELETE /config 'X-Request-ID: line-3'
	expect_problem 405
	# what is the web server's own is not ours
	grep '^{' "$dir/controller.log" >"$dir/lines"
	jq -e -s 'all(.[]; (.time | test("^20.*Z$")) and
	    (.level | length > 0) and (.component | length > 0) and
	    (.message | type == "string"))' "$dir/lines" >/dev/null
	for n in 1 2 3; do
		jq -e -s --arg id "line-$n" '[.[] | select(.component == "http"
		    and (.message | startswith($id)))] | length == 1' \
		    "$dir/lines" >/dev/null || {
			tail -n 5 "$dir/lines"
			return 1
		}
	done
	jq -e -s '[.[] | select(.message | startswith("line-1"))][0].message |
	    test("^line-1 127\\.0\\.0\\.1 \"GET /config\" 200 [0-9]+ " +
	    "[0-9.]+ms AGENT_API_KEY$")' "$dir/lines" >/dev/null
}

@test "what the store could not do is counted" {
	scrape
	before=$(metric dcm_store_errors_total error=broken)
	# there is no moment without any, in which a responder would make one
	ln "$dir/state/controller.db" "$dir/aside"
	mkdir "$dir/folder"
	ln -s "$dir/folder" "$dir/link"
	mv -T "$dir/link" "$dir/state/controller.db"
	request GET /config "$AGENT_KEY"
	expect_problem 503
	mv -T "$dir/aside" "$dir/state/controller.db"
	wait_until config_answers
	scrape
	[ "$(metric dcm_store_errors_total error=broken)" -gt "$before" ]
}
