-- fast.lua: the fast path. lighttpd itself answers GET /config where an
-- agent's key or token is good: 304 when the caller has the present version,
-- else 200 with its body. Run by mod_magnet for each request of that path,
-- see fast.conf; lighttpd 1.4.60 or newer, with Lua 5.4.
--
-- What it answers is decided by a module in C (cgi/fast.c, cgi/fast_lua.c),
-- of which this is the door. Where there is none, or one that cannot be used,
-- every request goes on to the responders, and the log says so once.

-- Only package.loaded outlives a request. What is there is kept when this file
-- is replaced.
local answer = package.loaded["dcm.fast"]
if not answer then
	local open, why
	if _VERSION == "Lua 5.4" then
		open, why = package.loadlib((os.getenv("DCM_ONLY_LIB") or
		    lighty.r.req_env["DCM_LIB"] or "") .. "/fast.so",
		    "fast_lua_open")
	else
		why = "it is made for Lua 5.4, and this is " .. _VERSION
	end
	local ok, made = pcall(open or error, why)
	if not ok then
		print("fast.lua: every poll is left to the responders: " ..
		    tostring(made))
		made = function() end
	end
	-- What is kept is little, and each request's strings are garbage at
	-- once: it is collected when there is three times as much. Later would
	-- be rarer, but by then what is used again has left the cache.
	collectgarbage("setpause", 300)
	package.loaded["dcm.fast"], answer = made, made
end
return answer(lighty.r)
