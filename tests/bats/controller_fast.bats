# controller_fast.bats: the fast path. lighttpd answers a poll itself, as the
# responders would, or leaves it to them; and what it knows is the truth.
# transports: standalone mount

load helper

setup_file()
{
	lighttpd_has mod_magnet || return 0
	export PROGRAMS_STAY=1
	[ "$TRANSPORT" != mount ] || cat >"$dir/mount.conf" <<-CONF
	\$HTTP["url"] == "/second/config" {
		setenv.set-environment = ( "DCM_STATE" => "$dir/second",
		    "DCM_LIB" => var.dcm_bin + "/../lib/dcm" )
		magnet.attract-raw-url-to = var.dcm_fast
	}
	\$HTTP["url"] == "/stateless/config" {
		setenv.set-environment = (
		    "DCM_LIB" => var.dcm_bin + "/../lib/dcm" )
		magnet.attract-raw-url-to = var.dcm_fast
	}
	server.modules += ( "mod_accesslog" )
	accesslog.filename = "$dir/mount.log"
	accesslog.format = "%U is %{OWN}e"
	CONF
	controller_start
	request POST /config "$ADMIN_KEY" --data \
	    '{"data":{"url":"http://a/1"},"poll_interval_seconds":30}'
	request POST /config "$ADMIN_KEY" --data '{"url":"http://a/2"}'
}

setup()
{
	lighttpd_has mod_magnet || skip "lighttpd has no mod_magnet"
	front=$dir/state/front
	program_runs controller || controller_again
	alone "$AGENT_KEY"
	tag=$(header ETag)
	version=$(jq .version "$dir/body")
}

# A test that failed may have left them stopped.
teardown()
{
	! lighttpd_has mod_magnet || ! program_runs controller ||
	    responders CONT || :
}

# Stops or continues all responders: who answers then is lighttpd.
responders()
{
	pkill -"$1" -P "$(program_pid controller)"
}

# ask [-X METHOD | -p PATH | -t SECONDS] HEADER...: sets status, headers; the
# body is in $dir/body. Fails when nobody answers.
ask()
{
	local path=/config args=(-s --max-time 10)
	while [ $# -gt 0 ]; do
		case $1 in
		-X) [ "$2" = HEAD ] && args+=(-I) || args+=(-X "$2"); shift ;;
		-p) path=$2; shift ;;
		-t) args+=(--max-time "$2"); shift ;;
		-u | -d) args+=("$1" "$2"); shift ;;
		*) args+=(-H "$1") ;;
		esac
		shift
	done
	: >"$dir/body"
	status=$(curl "${args[@]}" -o "$dir/body" -D "$dir/head" \
	    -w '%{http_code}' "$base$path") || return
	headers=$(tr -d '\r' <"$dir/head")
	# curl -I writes the head there
	[[ ${args[*]} != *-I* ]] || : >"$dir/body"
}

# without WHO …: ask while they stand still; WHO takes a signal for them.
without()
{
	local who=$1 failed=0
	shift
	"$who" STOP
	ask -t 0.5 "$@" || failed=1
	"$who" CONT
	return $failed
}

# tried …: ask while no responder can answer; once.
tried()
{
	without responders "$@"
}

# alone …: lighttpd answers by itself, soon: what a responder was just writing
# when it was stopped is not believed.
alone()
{
	wait_until tried "$@"
}

# passes …: lighttpd leaves it to the responders, who answer; a poll of the
# plain kind is answered by lighttpd itself just before.
passes()
{
	alone "$AGENT_KEY"
	if tried "$@"; then
		echo "was answered with $status: $*" >&2
		return 1
	fi
	ask "$@"
}

# agent_new: registers; sets id, bearer.
agent_new()
{
	request POST /register "$AGENT_KEY" --data '{}' && expect_status 200
	id=$(jq -r .agent_id "$dir/body")
	bearer="Authorization: Bearer $(jq -r .token "$dir/body")"
}

# sql FILE STATEMENT: of STATE_DIR; prints its rows.
sql()
{
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20)
for row in db.execute(sys.argv[2]):
    print(*row)
db.commit()' "$dir/state/$1" "$2"
}

@test "an agent's key and its token are answered by lighttpd itself" {
	agent_new
	for credential in "$AGENT_KEY" "$bearer"; do
		for path in /config /api/v1/config; do
			alone -p $path "$credential"
			[ "$status" = 200 ]
			expect_json ".version == $version"
			[ "$(header ETag)" = "$tag" ]
			alone -p $path "$credential" "If-None-Match: $tag"
			[ "$status" = 304 ]
			alone -X HEAD -p $path "$credential"
			[ "$status" = 200 ]
		done
	done
}

@test "whatever is not the plain case is left to the responders" {
	agent_new
	hash=${tag#*-} hash=${hash%\"}
	passes -u agent:agent-secret
	[ "$status" = 200 ]
	passes "$ADMIN_KEY"
	[ "$status" = 200 ]
	passes "X-API-Key: wrong"
	[ "$status" = 401 ]
	passes "${bearer}x"
	[ "$status" = 401 ]
	for token in "${bearer/.1./.2.}" "${bearer/.1./.11.}" \
	    "${bearer/dcm1./dcm1-}" "${bearer/.1./-1.}" "${bearer/.1./.1-}" \
	    "${bearer/dcm1/dcm2}" "${bearer/.1./..}" "${bearer%?}"; do
		passes "$token"
		[ "$status" = 401 ]
	done
	passes "$bearer" 'X-Agent-ID: 3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f'
	[ "$status" = 403 ]
	passes "$bearer" "$AGENT_KEY"
	[ "$status" = 200 ]
	passes
	[ "$status" = 401 ]
	passes -p '/config?' "$AGENT_KEY"
	[ "$status" = 200 ]
	passes -p '/config?x=1' "$AGENT_KEY"
	[ "$status" = 400 ]
	passes -p /%63onfig "$AGENT_KEY"
	passes -X POST -d '{"url":"http://x"}' "$AGENT_KEY"
	[ "$status" = 403 ]
	passes "$AGENT_KEY" 'cache-control: max-age=0, No-Cache'
	[ "$status" = 200 ]
	passes "$AGENT_KEY" 'Range: bytes=0-3'
	[ "$status" = 200 ]
}

@test "tags are left to the responders where they may know better" {
	hash=${tag#*-} hash=${hash%\"}
	passes "$AGENT_KEY" "If-None-Match: \"$((version + 1))-$hash\""
	[ "$status" = 200 ]
	passes "$AGENT_KEY" 'If-None-Match: *'
	[ "$status" = 304 ]
	passes "$AGENT_KEY" "If-None-Match: \"1-$hash\", $tag"
	[ "$status" = 304 ]
	passes "$AGENT_KEY" 'If-None-Match: malformed'
	[ "$status" = 200 ]
}

@test "header names that could fold are left to the responders" {
	for field in X_Api_Key X-Api_Key X_Agent_ID X-Agent_State If_None-Match \
	    X_Applied-Version X_Request_ID Cache_Control Author_ization \
	    X.Api.Key Not_Ours; do
		passes "$field: 1" "$AGENT_KEY" 'X-Agent-ID: 1' \
		    'X-Agent-State: ok' 'X-Applied-Version: 1' \
		    'X-Request-ID: 1' 'Cache-Control: max-age=0' \
		    'If-None-Match: "1-0123456789abcdef"'
		case $field in
		*ization | Not_Ours) [ "$status" = 200 ] ;;
		*) [ "$status" = 400 ] ;;
		esac
	done
	passes "$AGENT_KEY" 'X_Api_Key: 1'
	[ "$status" = 400 ]
	# more than the responders look at
	mapfile -t many < <(printf 'X-%s: 1\n' {1..250})
	passes "$AGENT_KEY" "${many[@]}"
	[ "$status" = 400 ]
}

# same …: the fast answer and that of a responder, which no-cache asks for.
same()
{
	local name
	alone "$@" "$AGENT_KEY"
	for name in fast slow; do
		[ $name = fast ] ||
		    ask "$@" "$AGENT_KEY" 'Cache-Control: no-cache'
		# lighttpd puts a length that is its own at the end
		sed '/^Date: /d' "$dir/head" | sort >"$dir/$name.head"
		cp "$dir/body" "$dir/$name.body"
	done
	diff "$dir/fast.head" "$dir/slow.head" &&
	    cmp "$dir/fast.body" "$dir/slow.body" &&
	    ! cmp -s /dev/null "$dir/fast.head"
}

@test "an answer is that of the responders, byte for byte" {
	hash=${tag#*-} hash=${hash%\"}
	echo=$(printf '%064d' 0)
	for method in GET HEAD; do
		same -X $method 'X-Request-ID: one!~'
		same -X $method "X-Request-ID: $echo"
		for match in "$tag" "W/$tag" "${tag%\"}-gzip\"" \
		    "W/${tag%\"}-br\"" \
		    "\"1-$hash\"" "\"1-0123456789abcdef\"" \
		    "\"$version-0123456789abcdef\"" "\"0$version-$hash\""; do
			same -X $method 'X-Request-ID: a' \
			    "If-None-Match: $match"
		done
		# a suffix that no server adds
		passes -X $method "$AGENT_KEY" \
		    "If-None-Match: ${tag%\"}-nothing\""
		[ "$status" = 200 ]
	done
	# what is no request id is not echoed
	for wrong in "0$echo" 'a b' ä; do
		alone "$AGENT_KEY" "X-Request-ID: $wrong"
		expect_header X-Request-ID \
		    '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f-]{16}'
	done
}

@test "a version is there for all as soon as it is published" {
	for n in 1 2 3 4 5; do
		request POST /config "$ADMIN_KEY" --data \
		    "{\"url\":\"http://n/$n/$RANDOM$RANDOM\"}"
		expect_status 201
		new=$(header ETag)
		[ "$new" != "$tag" ]
		# who knows it is not told of an older one
		ask "$AGENT_KEY" "If-None-Match: $new"
		[ "$status" = 304 ]
		given()
		{
			tried "$AGENT_KEY" "If-None-Match: $tag" &&
			    [ "$(header ETag)" = "$new" ]
		}
		wait_until given
		[ "$status" = 200 ]
		tag=$new
	done
}

@test "a commit whose publisher died before the files is seen all the same" {
	mapfile -t settings <"$dir/controller.env"
	# as another STATE_DIR, it knows nothing of these files
	env -i "${settings[@]}" STATE_DIR="$dir/elsewhere" \
	    DB_PATH="$dir/state/controller.db" ADMIN_API_KEY=other \
	    GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    SCRIPT_NAME=/c PATH_INFO=/config REQUEST_URI=/c/config \
	    HTTP_X_API_KEY=other CONTENT_LENGTH=21 REMOTE_ADDR=::1 \
	    "$bin/config.fcgi" <<<'{"url":"http://died"}' >"$dir/cgi.out" ||
	    true
	grep -q '^Status: 201' "$dir/cgi.out" || sed 3q "$dir/cgi.out"
	healed()
	{
		tried "$AGENT_KEY" && grep -q 'http://died' "$dir/body"
	}
	wait_until healed
}

@test "files that are missing, spoilt or not vouched for are not believed" {
	for file in now published credentials; do
		rm "$front/$file"
		ask "$AGENT_KEY"
		[ "$status" = 200 ]
		alone "$AGENT_KEY"
		echo spoilt >>"$front/$file"
		ask "$AGENT_KEY"
		[ "$status" = 200 ]
		alone "$AGENT_KEY"
	done
	responders STOP
	for ahead in -11000 20000 x; do
		at=x
		[ $ahead = x ] || at=$(($(date +%s%3N) + ahead))
		line=$(sed "s/^[0-9x]*/$at/" "$front/now")
		echo "$line" >"$front/now"
		sleep 0.02
		refute ask -t 0.3 "$AGENT_KEY"
	done
	responders CONT
	alone "$AGENT_KEY"
}

@test "an older pair of files does not bring an old version back" {
	cp -r "$front" "$dir/older"
	request POST /config "$ADMIN_KEY" --data "{\"url\":\"http://$RANDOM\"}"
	new=$(header ETag)
	cp "$dir/older"/{published,credentials} "$front/"
	ask "$AGENT_KEY"
	[ "$(header ETag)" = "$new" ]
	alone "$AGENT_KEY"
	[ "$(header ETag)" = "$new" ]
}

@test "a token that was rotated or deleted stops within two seconds" {
	agent_new
	old=$bearer
	alone "$old"
	request POST "/agents/$id/token" "$ADMIN_KEY" --data ''
	expect_status 200
	bearer="Authorization: Bearer $(jq -r .token "$dir/body")"
	sleep 1
	ask "$old"
	[ "$status" = 401 ]
	alone "$bearer"
	request DELETE "/agents/$id" "$ADMIN_KEY"
	expect_status 204
	sleep 1
	for token in "$old" "$bearer"; do
		ask "$token"
		[ "$status" = 401 ]
	done
	alone "$AGENT_KEY"
	refute tried "$bearer"
}

@test "a token of a later generation is answered by lighttpd too" {
	agent_new
	for n in 2 3 4 5 6 7 8 9 10; do
		request POST "/agents/$id/token" "$ADMIN_KEY" --data ''
		expect_status 200
	done
	bearer="Authorization: Bearer $(jq -r .token "$dir/body")"
	[[ $bearer = *.10.* ]]
	wait_until alone "$bearer"
	[ "$status" = 200 ]
	passes "${bearer/.10./.1.}"
	[ "$status" = 401 ]
}

@test "with too many raised tokens they are left to the responders" {
	agent_new
	sql controller.db "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
	    SELECT i + 1 FROM n WHERE i < 20001) INSERT INTO tombstone
	    SELECT printf('00000000-0000-4000-8000-%012d', i), 2, 1 FROM n"
	left()
	{
		tried "$AGENT_KEY" && ! tried "$bearer"
	}
	wait_until left
	ask "$bearer"
	[ "$status" = 200 ]
	sql controller.db "DELETE FROM tombstone WHERE deleted_at = 1"
	alone "$bearer"
}

@test "a restored version is followed, also when no responder runs" {
	mapfile -t settings <"$dir/controller.env"
	env -i "${settings[@]}" "$bin/dcm-controller" --backup "$dir/backup.db"
	request POST /config "$ADMIN_KEY" --data "{\"url\":\"http://$RANDOM\"}"
	expect_status 201
	alone "$AGENT_KEY"
	responders STOP
	env -i "${settings[@]}" "$bin/dcm-controller" --restore "$dir/backup.db"
	sleep 0.1
	refute ask -t 0.3 "$AGENT_KEY"
	responders CONT
	followed()
	{
		tried "$AGENT_KEY" && expect_json ".version == $version + 2"
	}
	wait_until followed
}

@test "a heartbeat is written down when nothing else is asked" {
	agent_new
	alone "$bearer" "If-None-Match: $tag" 'X-Agent-State: failed' \
	    "X-Applied-Version: $version"
	written()
	{
		[ "$(sql controller-live.db "SELECT applied_version, said
		    FROM live WHERE lower(hex(id)) = '${id//-/}'")" = \
		    "$version failed" ]
	}
	wait_until written
	# the fleet's key does not make an agent known
	unknown=99999999-5d4a-4f6b-9a7c-0e1d2c3b4a5f
	alone "$AGENT_KEY" "X-Agent-ID: ${unknown^^}"
	alone "$AGENT_KEY" "X-Agent-ID: ${id^^}" 'X-Applied-Version: 1' \
	    'X-Agent-State: no state'
	again()
	{
		[ "$(sql controller-live.db "SELECT applied_version FROM live
		    WHERE lower(hex(id)) = '${id//-/}'")" = 1 ]
	}
	wait_until again
	request GET "/agents/$unknown" "$ADMIN_KEY"
	expect_problem 404
}

# counted: polls that lighttpd answered, by /metrics.
counted()
{
	ask -p /metrics "$ADMIN_KEY" &&
	    awk '/^dcm_requests_total{responder="lighttpd"/ { n += $2 }
	    END { print n + 0 }' "$dir/body"
}

# settled: when nothing is left to be folded.
settled()
{
	[ -z "$(find "$dir/state/beats" -name '[0-9]*')" ]
}

# noted COUNT: so many, with those that wait in files.
noted()
{
	local lines
	lines=$(cat "$dir/state/beats"/[0-9]* 2>/dev/null | grep -c .)
	[ $(($(counted) + lines)) = "$1" ]
}

@test "a heartbeat that no file may take ends nobody" {
	agent_new
	prlimit --pid "$(program_pid controller)" --fsize=100:
	for n in 1 2 3 4 5 6; do
		ask "$bearer" "If-None-Match: $tag" || break
	done
	prlimit --pid "$(program_pid controller)" --fsize=unlimited:
	[ "$status" = 304 ]
	program_runs controller
	alone "$bearer"
}

# counts COUNT: so many, when nothing is left to be folded.
counts()
{
	settled && [ "$(counted)" = "$1" ]
}

@test "its polls are counted, also when lighttpd is killed" {
	wait_until settled
	before=$(counted)
	# one that was answered is not asked again
	for n in 1 2 3 4 5 6 7 8 9; do
		wait_until tried -t 10 "$AGENT_KEY" "If-None-Match: $tag"
	done
	# what came within some ms of another is gathered first
	wait_until noted $((before + 9))
	program_stop controller KILL
	controller_again
	wait_until counts $((before + 9))
}

# burst COUNT: so many polls on one connection, as fast as it goes.
burst()
{
	local urls=()
	while [ ${#urls[@]} -lt "$1" ]; do
		urls+=("$base/config")
	done
	curl -sf --max-time 20 -H "$AGENT_KEY" -H "If-None-Match: $tag" \
	    -o /dev/null -w '%{http_code}\n' "${urls[@]}" >"$dir/burst"
	[ "$(sort "$dir/burst" | uniq -c | tr -s ' ')" = " $1 304" ]
}

@test "polls that come together are all counted, with none behind them" {
	local all
	alone "$AGENT_KEY"
	wait_until settled
	all=$(counted)
	burst 300
	all=$((all + 300))
	wait_until counts "$all"
	# just then it is told to begin again
	burst 300
	kill -s USR1 "$(program_pid controller)"
	all=$((all + 300))
	wait_until counts "$all"
	# or to end
	alone "$AGENT_KEY"
	wait_until settled
	all=$(counted)
	burst 300
	program_stop controller
	controller_again
	all=$((all + 300))
	wait_until counts "$all"
}

@test "a key of yesterday's settings is not good for a moment" {
	cp "$dir/controller.env" "$dir/yesterday.env"
	program_stop controller
	controller_settings AGENT_API_KEY=today
	controller_again
	for n in 1 2 3 4 5 6 7 8; do
		ask "$AGENT_KEY"
		[ "$status" = 401 ]
		sleep 0.1
	done
	alone 'X-API-Key: today'
	program_stop controller
	mv "$dir/yesterday.env" "$dir/controller.env"
	controller_again
}

@test "a key that DCM_CONFIG names no longer is soon refused" {
	[ "$TRANSPORT" = standalone ] || skip "--config is read once"
	cp "$dir/controller.env" "$dir/quiet.env"
	program_stop controller
	(umask 077 && echo AGENT_API_KEY=agent-key-of-the-tests >"$dir/named")
	controller_settings AGENT_API_KEY= DCM_CONFIG="$dir/named"
	controller_again
	alone "$AGENT_KEY"
	echo AGENT_API_KEY=tomorrow >"$dir/named"
	# who answers nothing has not read it, and vouches for nothing
	refused()
	{
		ask "$AGENT_KEY" && [ "$status" = 401 ]
	}
	wait_until refused
	for n in 1 2 3 4 5 6 7 8 9; do
		ask "$AGENT_KEY"
		[ "$status" = 401 ]
		ask 'X-API-Key: tomorrow'
		[ "$status" = 200 ]
		sleep 0.3
	done
	alone 'X-API-Key: tomorrow'
	program_stop controller
	mv "$dir/quiet.env" "$dir/controller.env"
	controller_again
}

@test "at LOG_LEVEL=debug each poll is in the log" {
	cp "$dir/controller.env" "$dir/quiet.env"
	program_stop controller
	controller_settings LOG_LEVEL=debug
	controller_again
	for n in 1 2 3; do
		ask "$AGENT_KEY" "X-Request-ID: logged-$n"
		wait_until log_has controller "logged-$n .*GET /config\" 200"
		sleep 0.5
	done
	program_stop controller
	mv "$dir/quiet.env" "$dir/controller.env"
	controller_again
}

@test "what was known before lighttpd began is not believed" {
	[ "$TRANSPORT" = standalone ] || skip "the same script"
	mkdir -p "$dir/late"
	ln -sfn "$bin/../lib" "$dir/lib"
	for name in config agents status watch; do
		cat >"$dir/late/$name.fcgi" <<-SH
		#!/bin/sh
		until [ -e "$dir/late/begin" ] || ! kill -0 \$PPID; do
			sleep 0.05
		done
		exec $bin/$name.fcgi "\$@"
		SH
		chmod +x "$dir/late/$name.fcgi"
	done
	mapfile -t settings <"$dir/controller.env"
	port=$(cat "$dir/controller.port")
	program_stop controller KILL
	program_start controller env -i PATH="$PATH" DCM_BIN="$dir/late" \
	    CONTROLLER_PORT="$port" "${settings[@]}" "$top/lighttpd/run.sh"
	wait_until port_open "$port"
	# nobody has looked at the store yet
	for n in 1 2 3; do
		refute ask -t 0.2 "$AGENT_KEY"
	done
	grep '^1' "$front/now"
	touch "$dir/late/begin"
	alone "$AGENT_KEY"
	program_stop controller
}

# copied [NAME=value ...]: runs it from a copy of lighttpd/, with two workers.
copied()
{
	rm -rf "$dir/copy"
	cp -r "$top/lighttpd" "$dir/copy"
	echo 'server.max-worker = 2' >>"$dir/copy/standalone.conf"
	mapfile -t settings <"$dir/controller.env"
	program_stop controller
	# a lighttpd with workers ends its whole process group
	program_start controller setsid env -i PATH="$PATH" DCM_BIN="$bin" \
	    CONTROLLER_PORT="$(cat "$dir/controller.port")" \
	    "${settings[@]}" "$dir/copy/run.sh"
	wait_until controller_answers && program_runs controller
}

# workers: their process ids.
workers()
{
	pgrep -x -P "$(program_pid controller)" lighttpd
}

# only WORKER COMMAND...: while the other worker stands still.
only()
{
	local one=$1 other failed=0
	shift
	other=$(grep -vx "$one" <<<"$before")
	kill -s STOP "$other"
	"$@" || failed=1
	kill -s CONT "$other"
	return $failed
}

# unhelped …: ask while no responder can answer, and a worker can.
unhelped()
{
	without beside "$@"
}

# beside SIGNAL: to all that lighttpd has started, but for its workers.
beside()
{
	local pid
	for pid in $(pgrep -P "$(program_pid controller)"); do
		grep -qx "$pid" <<<"$before" || kill -s "$1" "$pid"
	done
}

@test "two workers and a script that is replaced answer as one does" {
	[ "$TRANSPORT" = standalone ] || skip "the same lighttpd"
	copied
	before=$(workers)
	[ "$(wc -l <<<"$before")" = 2 ]
	for n in 1 2 3; do
		echo "-- $n" | cat "$dir/copy/fast.lua" - >"$dir/new.lua"
		mv "$dir/new.lua" "$dir/copy/fast.lua"
		request POST /config "$ADMIN_KEY" --data \
		    "{\"url\":\"http://w/$n/$RANDOM\"}"
		tag=$(header ETag)
		for round in 1 2 3 4 5 6 7 8 9; do
			ask "$AGENT_KEY" "If-None-Match: $tag"
			[ "$status" = 304 ]
			sleep 0.2
		done
		for worker in $before; do
			wait_until only "$worker" unhelped "$AGENT_KEY" \
			    "If-None-Match: $tag"
			[ "$status" = 304 ]
		done
		beside STOP
		for round in 1 2 3 4 5 6 7 8 9; do
			ask "$AGENT_KEY" "If-None-Match: $tag"
			[ "$status" = 304 ]
		done
		beside CONT
	done
	[ "$(workers)" = "$before" ]
	program_stop controller
}

@test "where lighttpd has no mod_magnet everything is left to the responders" {
	[ "$TRANSPORT" = standalone ] || skip "run.sh finds out"
	mkdir "$dir/without"
	cat >"$dir/without/lighttpd" <<-SH
	#!/bin/sh
	case \$1 in -tt) exit 1 ;; esac
	exec $(command -v lighttpd) "\$@"
	SH
	chmod +x "$dir/without/lighttpd"
	PATH=$dir/without:$PATH copied
	for n in 1 2 3 4 5; do
		ask "$AGENT_KEY" "If-None-Match: $tag"
		[ "$status" = 304 ]
		sleep 0.5
	done
	[ -z "$(cat "$dir/state/run/"*/fast.conf)" ]
	program_stop controller
}

# second TAG: is what the other mount has, of which nobody is a responder.
second()
{
	sed -i "s/^[0-9]*/$(date +%s%3N)/" "$dir/second/front/now"
	base=${base%"$prefix"}/second ask "$AGENT_KEY" "If-None-Match: $1" &&
	    [ "$status" = 304 ]
}

@test "mounts that share the script answer each from its own files" {
	[ "$TRANSPORT" = mount ] || skip "there is no other mount"
	mkdir -p "$dir/second"
	cp -r "$front" "$dir/second/front"
	old=$tag
	request POST /config "$ADMIN_KEY" --data "{\"url\":\"http://$RANDOM\"}"
	new=$(header ETag)
	for n in 1 2 3; do
		wait_until second "$old"
		alone "$AGENT_KEY" "If-None-Match: $new"
		[ "$status" = 304 ]
		second "$old"
	done
	grep -q ' 304$' "$dir/second/beats"/*
	# it vouches for nothing any more
	rm "$dir/second/front/now"
	gone()
	{
		base=${base%"$prefix"}/second ask "$AGENT_KEY" &&
		    [ "$status" = 404 ]
	}
	wait_until gone
}

@test "what a mount says to all its programs is said on the fast path too" {
	[ "$TRANSPORT" = mount ] || skip "there is no mount"
	for path in "$prefix/config" "$prefix/api/v1/config"; do
		base=${base%"$prefix"} ask -p "$path" "$AGENT_KEY"
		wait_until log_has mount "^$path is the mount's"
	done
}

@test "what a mount lacks is said in the log, and its requests go on" {
	[ "$TRANSPORT" = mount ] || skip "there is no other mount"
	for n in 1 2 3; do
		base=${base%"$prefix"}/stateless ask "$AGENT_KEY"
		[ "$status" = 404 ]
	done
	wait_until log_has controller 'fast.lua: DCM_STATE is not set'
}

@test "without its module every request goes on, which the log says once" {
	[ "$TRANSPORT" = standalone ] || skip "the same script"
	mkdir -p "$dir/bare/bin" "$dir/bare/lib/dcm"
	ln -s "$bin"/* "$dir/bare/bin/"
	mapfile -t settings <"$dir/controller.env"
	for module in "" "no library" text; do
		[ -z "$module" ] || echo "$module" >"$dir/bare/lib/dcm/fast.so"
		[ "$module" != text ] ||
		    cp "$bin/../tests/other.fcgi" "$dir/bare/lib/dcm/fast.so"
		program_stop controller
		: >"$dir/controller.log"
		program_start controller env -i PATH="$PATH" \
		    DCM_BIN="$dir/bare/bin" "${settings[@]}" \
		    CONTROLLER_PORT="$(cat "$dir/controller.port")" \
		    "$top/lighttpd/run.sh"
		wait_until controller_answers && program_runs controller
		for n in 1 2 3 4 5; do
			ask "$AGENT_KEY" "If-None-Match: $tag"
			[ "$status" = 304 ]
			sleep 0.3
		done
		[ "$(grep -c 'left to the responders' \
		    "$dir/controller.log")" = 1 ]
		refute tried "$AGENT_KEY" "If-None-Match: $tag"
	done
	program_stop controller
}

@test "the module shows lighttpd one name, and takes none of lighttpd's" {
	[ "$(nm -D --defined-only "$bin/../lib/dcm/fast.so" |
	    awk '{ print $3 }')" = fast_lua_open ]
}
