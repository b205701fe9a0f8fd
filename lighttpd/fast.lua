-- fast.lua: the fast path. lighttpd itself answers GET /config where an
-- agent's key or token is good: 304 when the caller has the present version,
-- else 200 with its body. Run by mod_magnet for each request of that path,
-- see fast.conf; lighttpd 1.4.60 or newer.
--
-- It never refuses and never guesses: what is not the plain case goes on to
-- the responders, who answer as if this were not there. What it knows are the
-- files that they keep in STATE_DIR/front (cgi/front.h); where those are
-- missing, malformed or no longer vouched for, it knows nothing.
--
-- Each poll is one line in STATE_DIR/beats (cgi/beat.h), heartbeat and count
-- in one write(2), before it is answered.

-- Only package.loaded outlives a request. It outlives this script too: when the
-- file is replaced there is another lighty.r, and the old one must not be used.
local again = package.loaded["dcm.fast"]
if again and again.r == lighty.r then
	return again.fast()
end

local LOOK_MS = 10		-- how old what it knows may be
local LEASE_MS = 10000		-- FRONT_LEASE_MS
local AHEAD_MS = 1000		-- a clock that was set back
local SLOT_MS = 2000		-- BEAT_SLOT_MS
local NUMBER_MAX = 18		-- PASS_NUMBER_MAX
local FIELDS_MAX = 100		-- half of GATEWAY_FIELDS_MAX
local NAMES_MAX = 500

local r, c = lighty.r, lighty.c
local req_attr, req_header, req_env = r.req_attr, r.req_header, r.req_env
local resp_header = r.resp_header
local hrtime, hmac, hexdec, secret_eq = c.hrtime, c.hmac, c.hexdec, c.secret_eq
math.randomseed(c.rand(), select(2, hrtime()))
local random, format, find, lower = math.random, string.format, string.find,
    string.lower
local unpack, b64urlenc = string.unpack, c.b64urlenc
local pairs, pcall, tonumber, open = pairs, pcall, tonumber, io.open
local file_write = io.stderr.write	-- of every file
-- What is kept is little, and each request's strings are garbage at once: it
-- is looked through when there is ten times as much.
collectgarbage("setpause", 1000)

local fronts = {}		-- by folder: several mounts share this script

-- --- what the responders publish -------------------------------------------

local function file_read(path)
	local file = open(path, "rb")
	local text = file and file:read("*a")
	if file then
		file:close()
	end
	return text or ""
end

-- The first digits of the SHA-256, as ETags and stamps have them.
local function file_sum(text)
	return c.md("sha256", text):sub(1, 16):lower()
end

-- A line of `now` is believed when both files are what it says, and when it
-- was written since this program started and less than a lease ago.
local function front_look(front, ms)
	if ms < front.looked then
		front.begun = ms	-- the clock was set back
	end
	front.looked, front.good = ms, false
	local at, tag, version, sum, interval, stamp =
	    file_read(front.folder .. "/now"):match(
	    '^(%d+) ("(%d+)%-(%x+)") (%d+) (%x+)\n$')
	at = tonumber(at)
	if not at or at < front.begun or at < ms - LEASE_MS or
	    at > ms + AHEAD_MS then
		return
	end
	if tag ~= front.tag then
		local body = file_read(front.folder .. "/published")
		if file_sum(body) ~= sum then
			return
		end
		front.tag, front.body = tag, body
		front.version = tonumber(version)
	end
	if stamp ~= front.stamp then
		local text = file_read(front.folder .. "/credentials")
		if file_sum(text) ~= stamp then
			return
		end
		front.key = hexdec(text:match("^key (%x+)\n") or error())
		front.agent = text:match("\nagent (%x+)\n")
		front.raised = text:match("\ntokens\n$") and {}
		for id, generation in text:gmatch("\n(%x[%x-]+) (%d+)%f[\n]") do
			if front.raised then
				front.raised[id] = generation
			end
		end
		front.stamp = stamp	-- last: all of it is known
	end
	front.interval = interval
	front.good = true
end

local function front_of(folder, ms)
	local front = fronts[folder]
	if not front then
		front = { folder = folder, begun = ms, looked = ms - LOOK_MS,
		    beats = folder:gsub("[^/]*$", "beats/") }
		fronts[folder] = front
	end
	if ms - front.looked >= LOOK_MS or ms < front.looked then
		front_look(front, ms)
	end
	return front.good and front
end

-- --- the request -----------------------------------------------------------

-- The fields it reads. "other": one that asks for more than it can do.
local reads = {
	["x-api-key"] = "key", ["authorization"] = "authorization",
	["if-none-match"] = "tags", ["cache-control"] = "cache",
	["x-agent-id"] = "id", ["x-applied-version"] = "version",
	["x-agent-state"] = "state", ["x-request-id"] = "request",
	["content-length"] = "other", ["transfer-encoding"] = "other",
	["expect"] = "other", ["range"] = "other", ["upgrade"] = "other",
}

-- What a field of that name is to it; "" for nothing. A name that could
-- become another one's CGI variable is for the responders to judge.
local names, names_count = {}, 0

local function name_of(known, name)
	local low = lower(name)
	local what = reads[low] or find(low, "[^%w-]") and "other" or ""
	if names_count == NAMES_MAX then
		for old in pairs(known) do
			known[old] = nil
		end
		names_count = 0
	end
	known[name], names_count = what, names_count + 1
	return what
end
setmetatable(names, { __index = name_of })

-- One table for all requests, for one is answered at a time. False: there is
-- no such field.
local sent = {}

-- Whether the key is the fleet's.
local function key_good(front, key)
	return front.agent and c.digest_eq(front.agent,
	    hmac("sha256", front.key, "X-API-Key: " .. key))
end

-- The parts of a token by its length, which says how many digits the
-- generation has. A pattern that takes it apart costs six times as much.
local parts = {}
for digits = 1, NUMBER_MAX do
	parts[#"Bearer dcm1." + 36 + 1 + digits + 1 + 43] =
	    format("c12c36c1c%dc1c43", digits)
end

-- Whose token it is, when it is one that counts. What has a good signature
-- was made by the responders: only its lengths are looked at before.
local function token_of(front, authorization)
	local form, raised = parts[#authorization], front.raised
	if not form or not raised then
		return nil
	end
	local scheme, id, dot, generation, last, signature =
	    unpack(form, authorization)
	if scheme == "Bearer dcm1." and dot == "." and last == "." and
	    (raised[id] or "1") == generation and
	    secret_eq(b64urlenc(hexdec(hmac("sha256", front.key,
	    "dcm1." .. id .. "." .. generation))), signature) then
		return id
	end
end

local suffixes = {
	[""] = true, ["-gzip"] = true, ["-br"] = true, ["-deflate"] = true,
	["-zstd"] = true,
}

-- The answer to a caller who has tags that are not the present one; nil for a
-- list, and for one that is newer than what is known here.
local function tags_status(front, tags)
	local version, sum, suffix = tags:gsub("^W/", ""):match(
	    '^"(%d+)%-(%x+)(%-?%l*)"$')
	if not version or #version > 15 or #sum ~= 16 or
	    not suffixes[suffix] or tonumber(version) > front.version then
		return nil
	end
	return '"' .. version .. "-" .. sum .. '"' == front.tag and 304 or 200
end

-- --- the answer ------------------------------------------------------------

local x4 = "%x%x%x%x"
local uuid = "^" .. x4 .. x4 .. "%-" .. x4 .. "%-" .. x4 .. "%-" .. x4 ..
    "%-" .. x4 .. x4 .. x4 .. "$"
local states = { ["ok"] = true, ["failed"] = true, ["no-worker"] = true }

-- The rest of a line after the id: mostly what it was the last time.
local tail, tail_version, tail_state, tail_trust, tail_status

local function tail_make(version, state, trust, status)
	tail_version, tail_state = version, state
	tail_trust, tail_status = trust, status
	if not version or #version > 18 or find(version, "%D") then
		version = "-"
	end
	tail = format(" %s %s %s %d\n", version, states[state] and state or "-",
	    trust, status)
end

-- The file of the present slot, and how a line begins; nil where there is
-- none. The file stays open for its slot, without a buffer.
local function beat_turn(front, ms)
	local slot = (ms - ms % SLOT_MS) / SLOT_MS
	front.noted, front.moment = ms, format("%d ", ms)
	if slot ~= front.slot then
		if front.file then
			front.file:close()
		end
		front.slot = nil
		front.file = open(front.beats .. format("%d", slot), "a")
		if not front.file then
			front.noted = nil
			return nil
		end
		front.slot = slot
		front.file:setvbuf("no")
	end
	return front.file
end

-- A UUID, only to be told from others: a random one of this program, and
-- counted on from there, which costs a tenth of making each at random.
local id_begin = format("%04x%04x-%04x-4%03x-%04x-", random(0, 65535),
    random(0, 65535), random(0, 65535), random(0, 4095), random(32768, 49151))
local id_count = random(0, 0xffffff)
local id_some, id_last, id_lasts = nil, 255, {}
for last = 0, 255 do
	id_lasts[last] = format("%02x", last)
end

local function request_id()
	id_last = id_last + 1
	if id_last > 255 then
		id_count, id_last = id_count + 1, 0
		id_some = id_begin .. format("%010x", id_count)
	end
	return id_some .. id_lasts[id_last]
end

local function body_send(front)
	resp_header["Content-Type"] = "application/json"
	resp_header["Accept-Ranges"] = "none"
	resp_header["X-Content-Type-Options"] = "nosniff"
	r.resp_body.set(front.body)
end

-- The status that was answered with, or nil: the request goes on.
local function answer()
	local sent, count = sent, 0
	sent.key, sent.authorization, sent.tags = false, false, false
	sent.id, sent.version, sent.state = false, false, false
	sent.cache, sent.request, sent.other = false, false, false
	for name, value in pairs(req_header) do
		sent[names[name]], count = value, count + 1
	end
	local authorization, key, id = sent.authorization, sent.key, sent.id
	if sent.other or count > FIELDS_MAX or
	    (not key) == (not authorization) or
	    (sent.cache and find(lower(sent.cache), "no-cache", 1, true)) then
		return nil
	end
	local seconds, ns = hrtime()
	local ms = seconds * 1000 + (ns - ns % 1000000) / 1000000
	local front = front_of(req_env["DCM_FRONT"], ms)
	if not front then
		return nil
	end
	local target = req_attr["request.orig-uri"]
	local method = req_attr["request.method"]
	if target ~= front.target then
		if target ~= req_attr["uri.path"] then
			return nil
		end
		front.target = target	-- nothing encoded, no query
	end
	if method ~= "GET" and method ~= "HEAD" then
		return nil
	end
	local trust = "F"
	if authorization then
		local own = token_of(front, authorization)
		if not own or (id and id ~= own and lower(id) ~= own) then
			return nil
		end
		id, trust = own, "T"
	elseif not key_good(front, key) then
		return nil
	elseif id then
		id = lower(id)
		if not find(id, uuid) then
			id = nil
		end
	end
	local status, tags = 200, sent.tags
	if tags == front.tag then
		status = 304
	elseif tags then
		status = tags_status(front, tags)
		if not status then
			return nil
		end
	end
	local file = ms == front.noted and front.file or beat_turn(front, ms)
	if not file then
		return nil
	end
	local version, state = sent.version, sent.state
	if version ~= tail_version or state ~= tail_state or
	    status ~= tail_status or trust ~= tail_trust then
		tail_make(version, state, trust, status)
	end
	file_write(file, front.moment .. (id or "-") .. tail)

	local header, request = resp_header, sent.request
	if not request or #request > 64 or find(request, "[^!-~]") then
		request = request_id()
	end
	header["X-Request-ID"] = request
	header["ETag"] = front.tag
	header["X-Poll-Interval-Seconds"] = front.interval
	header["Cache-Control"] = "private, no-cache"
	if status == 200 then
		body_send(front)
	end
	return status
end

-- A defect here costs speed, not answers.
local complained = 0

local function fast()
	local ok, status = pcall(answer)
	if ok then
		return status
	end
	if os.time() - complained >= 10 then
		complained = os.time()
		print("fast.lua: " .. tostring(status))
	end
	return nil
end

package.loaded["dcm.fast"] = { fast = fast, r = r }
return fast()
