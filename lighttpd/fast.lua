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
local TOKEN_MAX = 127		-- PASS_SIZE without its NUL
local FIELDS_MAX = 100		-- half of GATEWAY_FIELDS_MAX
local NAMES_MAX = 500

local r, c = lighty.r, lighty.c
local req_attr, req_header = r.req_attr, r.req_header
local resp_header = r.resp_header
math.randomseed(c.rand(), select(2, c.hrtime()))
local floor, random, format = math.floor, math.random, string.format
local pairs, pcall, tonumber, open = pairs, pcall, tonumber, io.open
-- What is kept is little, and each request's strings are garbage at once: it
-- is looked through when there is ten times as much.
collectgarbage("setpause", 1000)

local fronts = {}		-- by folder: several mounts share this script
local names, names_count = {}, 0

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
		front.key = c.hexdec(text:match("^key (%x+)\n") or error())
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

-- The fields it reads. False: one that asks for more than it can do.
local reads = {
	["x-api-key"] = "key", ["authorization"] = "authorization",
	["if-none-match"] = "tags", ["cache-control"] = "cache",
	["x-agent-id"] = "id", ["x-applied-version"] = "version",
	["x-agent-state"] = "state", ["x-request-id"] = "request",
	["content-length"] = false, ["transfer-encoding"] = false,
	["expect"] = false, ["range"] = false, ["upgrade"] = false,
}

-- What a field of that name is to it; "" for nothing. A name that could
-- become another one's CGI variable is for the responders to judge.
local function name_of(name)
	local low = name:lower()
	local what = reads[low]
	if what == nil then
		what = not low:find("[^%w-]") and ""
	end
	if names_count == NAMES_MAX then
		names, names_count = {}, 0
	end
	names[name], names_count = what, names_count + 1
	return what
end

-- One table for all requests, for one is answered at a time.
local sent = {}

local function request_fields()
	local count = 0
	sent.key, sent.authorization, sent.tags, sent.cache = nil, nil, nil, nil
	sent.id, sent.version, sent.state, sent.request = nil, nil, nil, nil
	for name, value in pairs(req_header) do
		local what = names[name]
		if what == nil then
			what = name_of(name)
		end
		count = count + 1
		if not what or not value or count > FIELDS_MAX then
			return false
		end
		sent[what] = value
	end
	return true
end

-- Whether the key is the fleet's.
local function key_good(front, key)
	return front.agent and c.digest_eq(front.agent,
	    c.hmac("sha256", front.key, "X-API-Key: " .. key))
end

-- Whose token it is, when it is one that counts. What has a good signature
-- was made by the responders: only its lengths are looked at before.
local bearer = "^Bearer (dcm1%.(" .. ("."):rep(36) .. ")%.(%d+))%.(" ..
    ("."):rep(43) .. ")$"

local function token_of(front, authorization)
	local signed, id, generation, signature = authorization:match(bearer)
	if signed and front.raised and #authorization - 7 <= TOKEN_MAX and
	    (front.raised[id] or "1") == generation and
	    c.secret_eq(c.b64urlenc(c.hexdec(c.hmac("sha256", front.key,
	    signed))), signature) then
		return id
	end
end

local suffixes = {
	[""] = true, ["-gzip"] = true, ["-br"] = true, ["-deflate"] = true,
	["-zstd"] = true,
}

-- The answer to a caller who has these tags; nil for a list, and for one that
-- is newer than what is known here.
local function tags_status(front, tags)
	if tags == nil then
		return 200
	elseif tags == front.tag then
		return 304
	end
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

local ends = {			-- of a line, by trust and status
	F = { [200] = " F 200\n", [304] = " F 304\n" },
	T = { [200] = " T 200\n", [304] = " T 304\n" },
}

-- One line for the poll; nil where there is no file for it. The file stays
-- open for its slot, without a buffer.
local function beat_note(front, ms, id, trust, status)
	local version, state = sent.version or "-", sent.state or "-"
	if ms ~= front.noted then
		front.noted, front.moment = ms, format("%d ", ms)
		front.present = floor(ms / SLOT_MS)
	end
	local slot = front.present
	if slot ~= front.slot then
		if front.file then
			front.file:close()
		end
		front.file = open(front.beats .. format("%d", slot), "a")
		if not front.file then
			front.slot = nil
			return nil
		end
		front.slot = slot
		front.file:setvbuf("no")
	end
	if #version > 18 or version:find("%D") then
		version = "-"
	end
	front.file:write(front.moment .. (id or "-") .. " " .. version .. " " ..
	    (states[state] and state or "-") .. ends[trust][status])
	return true
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

local function answer_send(front, status, id)
	local header = resp_header
	if not id or #id > 64 or id:find("[^!-~]") then
		id = request_id()
	end
	header["X-Request-ID"] = id
	if status == 200 then
		header["Content-Type"] = "application/json"
		header["Accept-Ranges"] = "none"
		header["X-Content-Type-Options"] = "nosniff"
	end
	header["ETag"] = front.tag
	header["X-Poll-Interval-Seconds"] = front.interval
	header["Cache-Control"] = "private, no-cache"
	if status == 200 then
		r.resp_body.set(front.body)
	end
	return status
end

-- The status that was answered with, or nil: the request goes on.
local function answer()
	local target = req_attr["request.orig-uri"]
	local method = req_attr["request.method"]
	if target ~= req_attr["uri.path"] or
	    (method ~= "GET" and method ~= "HEAD") then
		return nil
	end
	if not request_fields() or (not sent.key) == (not sent.authorization) or
	    (sent.cache and sent.cache:lower():find("no-cache", 1, true)) then
		return nil
	end
	local seconds, ns = c.hrtime()
	local ms = seconds * 1000 + floor(ns / 1000000)
	local front = front_of(r.req_env["DCM_FRONT"], ms)
	if not front then
		return nil
	end
	local id, trust = sent.id and sent.id:lower(), "F"
	if sent.authorization then
		local own = token_of(front, sent.authorization)
		if not own or (id and id ~= own) then
			return nil
		end
		id, trust = own, "T"
	elseif not key_good(front, sent.key) then
		return nil
	elseif id and not id:find(uuid) then
		id = nil
	end
	local status = tags_status(front, sent.tags)
	if not status or not beat_note(front, ms, id, trust, status) then
		return nil
	end
	return answer_send(front, status, sent.request)
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
