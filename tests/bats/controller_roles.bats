# controller_roles.bats: who may call what: every operation of the document
# that the controller serves, with every kind of credential.
# transports: standalone slow mount cgi

load helper

# What the contract says. The document and the answers must say the same, so
# that no row can be opened, or closed, by mistake.
contract()
{
	cat <<-ROWS
	GET /config admin agent
	POST /config admin
	GET /config/{version} admin agent
	GET /config/history admin
	GET /config/diff admin
	POST /config/rollback admin
	POST /register agent
	GET /agents admin
	GET /agents/{id} admin
	DELETE /agents/{id} admin
	POST /agents/{id}/token admin
	POST /agents/{id}/status token
	GET /rollout admin
	GET /audit admin
	GET /metrics admin
	GET /health
	GET /ready
	GET /swagger.yaml
	GET /docs
	ROWS
}

# document_roles FILE: the same rows, from a document.
document_roles()
{
	awk '
	function row() {
		if (method != "")
			print method, path roles
		method = ""
	}
	{ indent = match($0, /[^ ]/) - 1; word = $1; sub(/:$/, "", word) }
	indent <= 4 { row() }
	indent == 0 { paths = word == "paths" }
	!paths { next }
	indent == 2 { path = word }
	indent == 4 { method = toupper(word); roles = ""; inside = 0 }
	indent == 6 { inside = word == "x-roles" }
	indent == 8 && inside && $1 == "-" { roles = roles " " $2 }
	END { row() }' "$1"
}

# agent NAME: registers one; its id and token are in $dir/NAME.id and .token.
agent()
{
	request POST /register "$AGENT_KEY" --data '{}' && expect_status 200 ||
		return
	jq -r .agent_id "$dir/body" >"$dir/$1.id"
	jq -r .token "$dir/body" >"$dir/$1.token"
}

setup_file()
{
	controller_start
	request POST /config "$ADMIN_KEY" --data '{"url":"https://ip.me"}'
	expect_status 201
	for name in mine other spare turned gone; do
		agent "$name"
	done
	request POST "/agents/$(cat "$dir/turned.id")/token" "$ADMIN_KEY"
	expect_status 200
	request DELETE "/agents/$(cat "$dir/gone.id")" "$ADMIN_KEY"
	expect_status 204
	request GET /swagger.yaml
	cp "$dir/body" "$dir/document"
	document_roles "$dir/document" >"$dir/rows"
}

bearer()
{
	echo "Authorization: Bearer $(cat "$dir/$1.token")"
}

# credential KIND: sets $sent to the arguments of request.
credential()
{
	case $1 in
	none) sent=() ;;
	wrong-password) sent=(-u admin:wrong) ;;
	wrong-user) sent=(-u nobody:admin-secret) ;;
	crossed) sent=(-u admin:agent-secret) ;;
	wrong-key) sent=('X-API-Key: admin-key-of-the-test') ;;
	wrong-key-beside-good-password)
		sent=("${ADMIN[@]}" 'X-API-Key: wrong') ;;
	wrong-token) sent=("$(bearer mine | sed 's/.$//')") ;;
	turned-token) sent=("$(bearer turned)") ;;
	token-of-one-gone) sent=("$(bearer gone)") ;;
	key-as-token) sent=('Authorization: Bearer admin-key-of-the-tests') ;;
	agent-password) sent=("${AGENT[@]}") ;;
	agent-key) sent=("$AGENT_KEY") ;;
	agent-key-beside-admin-password) sent=("$AGENT_KEY" "${ADMIN[@]}") ;;
	token) sent=("$(bearer mine)") ;;
	token-of-another)
		sent=("$(bearer mine)" "X-Agent-ID: $(cat "$dir/other.id")") ;;
	admin-password) sent=("${ADMIN[@]}") ;;
	admin-key) sent=("$ADMIN_KEY") ;;
	*) return 1 ;;
	esac
}

# wanted KIND ROLES: 401, 403, or in.
wanted()
{
	local kind=$1 roles=" $2 "
	if [ "$roles" = '  ' ]; then
		echo in
		return
	fi
	case $kind in
	none | wrong-* | crossed | turned-* | *-gone | *-as-token) echo 401 ;;
	token-of-another) echo 403 ;;
	token) [[ $roles = *' agent '* || $roles = *' token '* ]] && echo in ||
	    echo 403 ;;
	agent-*) [[ $roles = *' agent '* ]] && echo in || echo 403 ;;
	admin-*) [[ $roles = *' admin '* ]] && echo in || echo 403 ;;
	esac
}

# try KIND METHOD PATH ROLES: one cell of the matrix.
try()
{
	local kind=$1 method=$2 path=$3 want got id=mine data=()
	want=$(wanted "$kind" "$4")
	# what an administrator does is done to one that is not needed, and
	# nobody's token speaks for another
	case $kind in
	admin-*) id=spare ;;
	token-of-another) id=other ;;
	esac
	path=${path/'{id}'/$(cat "$dir/$id.id")}
	path=${path/'{version}'/1}
	[ "$method" != POST ] || data=(--data '{}')
	credential "$kind"
	request "$method" "$path" "${sent[@]}" "${data[@]}" || return
	case $status in
	401 | 403) got=$status ;;
	*) got=in ;;
	esac
	if [ "$got" != "$want" ]; then
		echo "$method $path with $kind: $status, not $want: $body" >&2
		return 1
	fi
	[ "$method" = HEAD ] || [ "$got" = in ] ||
	    expect_problem "$status" || return
	case $got in
	401) expect_header WWW-Authenticate 'Basic realm="dcm"' ;;
	*) refute header WWW-Authenticate 2>/dev/null ;;
	esac
}

# matrix PREFIX KIND...: every operation with each of them.
matrix()
{
	local prefix=$1 method path roles kind
	shift
	while read -r method path roles; do
		forgiven
		for kind; do
			try "$kind" "$method" "$prefix$path" "$roles" || return
			# HEAD goes the same way; two are enough
			case $method/$kind in
			GET/none | GET/agent-key)
				try "$kind" HEAD "$prefix$path" "$roles" ||
				    return
			esac
		done
	done <"$dir/rows"
}

@test "the document has every operation of the contract, with its roles" {
	[ "$(wc -l <"$dir/rows")" -ge 19 ]
	diff <(contract | sort) <(sort "$dir/rows")
	diff <(document_roles "$top/swagger.yaml") "$dir/rows"
}

@test "nothing but what anyone may see is open without a credential" {
	matrix '' none
}

@test "a wrong credential is as good as none" {
	matrix '' wrong-password wrong-user crossed wrong-key \
	    wrong-key-beside-good-password
}

@test "a token that was altered, turned, or of one deleted is a wrong one" {
	matrix '' wrong-token turned-token token-of-one-gone key-as-token
}

@test "the fleet's credential opens what is for agents" {
	matrix '' agent-password agent-key agent-key-beside-admin-password
}

@test "a token opens what is for agents, and its own report" {
	matrix '' token
}

@test "a token speaks for no other agent" {
	# where anyone may come in, there is nothing to refuse
	matrix '' token-of-another
	request POST "/agents/$(cat "$dir/other.id")/status" \
	    "$(bearer mine)" --data '{"state":"ok"}'
	expect_problem 403
}

@test "an administrator's opens what is for administrators" {
	matrix '' admin-password admin-key
}

@test "the same holds below /api/v1" {
	matrix /api/v1 none wrong-key agent-key token token-of-another \
	    admin-password
}
