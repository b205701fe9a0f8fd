# readme.bats: the README keeps its word.

load helper

setup_file()
{
	mkdir -p "$dir/state"
}

# tour: the README's console blocks on other ports, one command a file with
# what it should print. `…` stands for anything on its line.
tour()
{
	awk -v dir="$1" '
	/^```/ { inside = $0 == "```console"; next }
	!inside { next }
	/^\$ / {
		file = sprintf("%s/%03d", dir, ++count)
		print substr($0, 3) >(file ".command")
		printf "" >(file ".want")
		next
	}
	{ print >(file ".want") }' "$top/README.md"
}

@test "the tour and the cookbook can be typed as they stand" {
	mkdir "$dir/tour"
	tour "$dir/tour"
	for part in /config/rollback /rollout /token --backup If-Match; do
		grep -qe "$part" "$dir"/tour/*.command
	done
	controller=$(port_free) agent=$(port_free) worker=$(port_free)
	program_start run env STATE_DIR="$dir/state" ENV_FILE="$dir/none" \
	    DEFAULT_POLL_INTERVAL=2 \
	    CONTROLLER_PORT="$controller" AGENT_PORT="$agent" \
	    WORKER_PORT="$worker" "$top/lib/run.sh"
	wait_until -t 300 log_has run 'Try in another terminal'
	ports="s/127.0.0.1:8080/127.0.0.1:$controller/g
	    s/127.0.0.1:8081/127.0.0.1:$agent/g
	    s/127.0.0.1:8082/127.0.0.1:$worker/g
	    s|STATE_DIR=var|STATE_DIR=$dir/state|g; s|var/|$dir/state/|g
	    s|build/bin/|$bin/|g"
	for command in "$dir"/tour/*.command; do
		want=${command%.command}.want got=${command%.command}.got
		sed -i "$ports" "$command"
		# What a wildcard stands for is not compared.
		sed "$ports
		    s/[][\\.*^\$+?(){}|]/\\\\&/g; s/…/.*/g" "$want" >"$want.re"
		cat "$command" >>"$dir/typed"
		{
			echo "exec 8>&1 >/dev/null"
			sed '$d' "$dir/typed" |
			    grep '^\. ' || :
			echo "exec >&8"
			cat "$command"
		} >"$dir/step"
		timeout 300 bash "$dir/step" >"$got"
		[ -z "$(tail -c 1 "$got")" ] || echo >>"$got"
		count=$(wc -l <"$want")
		[ "$(wc -l <"$got")" = "$count" ] || {
			cat "$command" "$got"
			return 1
		}
		for line in $(seq "$count"); do
			sed -n "${line}p" "$got" |
			    grep -qxE "$(sed -n "${line}p" "$want.re")" || {
				cat "$command" "$want" "$got"
				return 1
			}
		done
	done
	wait_until log_has run "^worker \| .*version 2.*http://127.0.0.1:$worker/health"
}

@test "the tables of settings are what the programs print" {
	"$top/tests/readme.sh" | diff "$top/README.md" -
}

@test "every file and folder that it names is there" {
	grep -oE '^\| `[a-z/.]+`|`[a-z]+/[a-z0-9_]+\.[a-z]+`|\]\([^):]*\)' \
	    "$top/README.md" | tr -d '|`]() ' | sort -u >"$dir/named"
	[ -s "$dir/named" ]
	while read -r name; do
		case $name in var/*) continue ;; esac
		[ -e "$top/$name" ] || {
			echo "README.md names $name"
			return 1
		}
	done <"$dir/named"
}

@test "every target that make help and the README name exists" {
	{
		make -C "$top" -s help | grep -oE '^make [a-z-]+|, run-[a-z]+'
		grep -oE '(`|^)make [a-z][a-z-]+' "$top/README.md"
	} | grep -oE '[a-z-]+$' | sort -u >"$dir/targets"
	while read -r target; do
		# A target that is not there is status 2.
		make -C "$top" -n "$target" >/dev/null || {
			echo "there is no make $target"
			return 1
		}
	done <"$dir/targets"
}

@test ".env.example names every setting of the compose files, with its use" {
	sed 's/\$\$[{]*//g' "$top"/docker-compose.*.yml |
	    grep -o '\${[A-Z_]*' | tr -d '${' | sort -u >"$dir/used"
	sed -n 's/^#\([A-Z_]*\)=.*/\1/p' "$top/.env.example" |
	    sort >"$dir/named"
	diff "$dir/used" "$dir/named"
	# Each is in a paragraph that begins with what it is for.
	awk '/^$/ { told = 0 } /^# [A-Z]/ { told = 1 }
	    /^#[A-Z_]+=/ && !told { print; bad = 1 } END { exit bad }' \
	    "$top/.env.example"
	# Its defaults are those of the files.
	while IFS='=' read -r name value; do
		[ -z "$value" ] ||
		    grep -qF "\${$name:-$value}" "$top"/docker-compose.*.yml
	done < <(sed -n 's/^#\([A-Z_]*=.*\)/\1/p' "$top/.env.example")
}

@test "without an engine the containers are skipped, and that is said" {
	run env -u CI DOCKER_HOST="unix://$dir/nothing" "$top/tests/run.sh" \
	    containers
	[[ $output == *'containers: skipped, no container engine answers'* ]]
	[[ $output == *'0 failed, 1 skipped' ]]
}

@test "the parts of tests and benches that the texts name are there" {
	local part name
	cd "$top"
	grep -ohE 'PARTS=("[^"]+"|[a-z]+)' README.md CONTRIBUTING.md \
	    GNUmakefile | sed 's/PARTS=//; s/"//g' | xargs -n1 >"$dir/parts"
	while read -r part; do
		name=${part%%:*}
		[ "$part" = unit ] || [ -e "tests/$name.c" ] ||
		    [ -e "tests/bats/$name.bats" ] ||
		    [ -e "tests/bench/$name.sh" ] || {
			echo "there is no part $part"
			return 1
		}
	done <"$dir/parts"
	[ -n "$name" ]
}
