/*
 * The transactions of the queue in Redis, in Lua: each is one step that no
 * other worker sees half of.
 */
#include "queue_redis_script.h"

#define LINE(text)	text "\n"

#define NAMES \
	LINE("local call = redis.call") \
	LINE("local tasks, later = 'worker:hit:tasks', 'worker:hit:later'") \
	LINE("local index, group = 'worker:hit:index', 'workers'") \
	LINE("local function task(id) return 'worker:hit:task:' .. id end") \
	LINE("local function result(id)") \
	LINE("  return 'worker:hit:result:' .. id") \
	LINE("end") \
	LINE("local function drop(entry)") \
	LINE("  if entry and entry ~= '' then") \
	LINE("    call('XACK', tasks, group, entry)") \
	LINE("    call('XDEL', tasks, entry)") \
	LINE("  end") \
	LINE("end") \
	LINE("local function add(id)") \
	LINE("  local entry = call('XADD', tasks, '*', 'id', id)") \
	LINE("  call('HSET', task(id), 'entry', entry)") \
	LINE("end") \
	LINE("local function live(id)") \
	LINE("  return call('HEXISTS', task(id), 'config') == 1") \
	LINE("end")

const char queue_redis_script_push[] = NAMES
	LINE("local left = tonumber(ARGV[1]) - call('XLEN', tasks) -")
	LINE("  call('ZCARD', later)")
	LINE("local n = math.min((#ARGV - 2) / 2, left)")
	LINE("if n <= 0 then return 0 end")
	LINE("local at = call('INCRBY', 'worker:hit:arrivals', n) - n")
	LINE("local places = {}")
	LINE("for i = 1, n do")
	LINE("  local id = ARGV[2 * i + 1]")
	LINE("  local entry = call('XADD', tasks, '*', 'id', id)")
	LINE("  call('HSET', task(id), 'config', ARGV[2],")
	LINE("    'created', ARGV[2 * i + 2], 'state', '0', 'attempts', '0',")
	LINE("    'failures', '0', 'entry', entry)")
	LINE("  places[2 * i - 1], places[2 * i] = at + i, id")
	LINE("end")
	LINE("call('ZADD', index, unpack(places))")
	LINE("return n");

#define BEGIN \
	LINE("local out, last = {}, nil") \
	LINE("local function begin(entry, id)") \
	LINE("  local t = call('HMGET', task(id), 'config', 'created',") \
	LINE("    'attempts', 'failures')") \
	LINE("  if not t[1] then return drop(entry) end") \
	LINE("  local attempts = (tonumber(t[3]) or 0) + 1") \
	LINE("  call('HSET', task(id), 'state', '1', 'entry', entry,") \
	LINE("    'attempts', attempts)") \
	LINE("  out[#out + 1] = { entry, id, t[1] == last and '' or t[1],") \
	LINE("    t[2] or '0', tostring(attempts), t[4] or '0' }") \
	LINE("  last = t[1]") \
	LINE("end")

const char queue_redis_script_take[] = NAMES BEGIN
	LINE("local new = redis.pcall('XREADGROUP', 'GROUP', group, ARGV[1],")
	LINE("  'COUNT', ARGV[2], 'STREAMS', tasks, '>')")
	LINE("if not new or new.err then return new or out end")
	LINE("for _, one in ipairs(new[1][2]) do")
	LINE("  if one[2] then begin(one[1], one[2][2]) end")
	LINE("end")
	LINE("return out");

const char queue_redis_script_begin[] = NAMES BEGIN
	LINE("for i = 1, #ARGV, 2 do begin(ARGV[i], ARGV[i + 1]) end")
	LINE("return out");

const char queue_redis_script_end[] = NAMES
	LINE("local now, ttl = ARGV[1], ARGV[2]")
	LINE("local out, ids, entries = {}, {}, {}")
	LINE("local function done(id, entry, state, error, json)")
	LINE("  local key = task(id)")
	LINE("  local t = call('HMGET', key, 'state', 'entry', 'created',")
	LINE("    'attempts')")
	LINE("  if entry ~= '' then entries[#entries + 1] = entry end")
	LINE("  if t[1] ~= '0' and t[1] ~= '1' then return 0 end")
	LINE("  if t[2] and t[2] ~= '' and t[2] ~= entry then")
	LINE("    entries[#entries + 1] = t[2]")
	LINE("  end")
	LINE("  ids[#ids + 1] = id")
	LINE("  call('DEL', key)")
	LINE("  call('HSET', key, 'state', state, 'created', t[3] or '0',")
	LINE("    'attempts', t[4] or '0', 'ended', now, 'error', error)")
	LINE("  call('PEXPIRE', key, ttl)")
	LINE("  call('SET', result(id), json, 'PX', ttl)")
	LINE("  return 1")
	LINE("end")
	LINE("for i = 3, #ARGV, 5 do")
	LINE("  out[#out + 1] = done(ARGV[i], ARGV[i + 1], ARGV[i + 2],")
	LINE("    ARGV[i + 3], ARGV[i + 4])")
	LINE("end")
	LINE("if #entries > 0 then")
	LINE("  call('XACK', tasks, group, unpack(entries))")
	LINE("  call('XDEL', tasks, unpack(entries))")
	LINE("end")
	LINE("if #ids > 0 then call('ZREM', later, unpack(ids)) end")
	LINE("return out");

const char queue_redis_script_again[] = NAMES
	LINE("local id = ARGV[1]")
	LINE("drop(ARGV[2])")
	LINE("if not live(id) then return 0 end")
	LINE("drop(call('HGET', task(id), 'entry'))")
	LINE("call('HSET', task(id), 'error', ARGV[3])")
	LINE("call('HINCRBY', task(id), 'failures', 1)")
	LINE("call('ZADD', later, ARGV[4], id)")
	LINE("return 1");

#define ROW \
	LINE("local function row(id)") \
	LINE("  local t = call('HMGET', task(id), 'state', 'attempts',") \
	LINE("    'created', 'ended', 'error')") \
	LINE("  if not t[1] then return nil end") \
	LINE("  return { id, t[1], t[2] or '0', t[3] or '0', t[4] or '0',") \
	LINE("    t[5] or '' }") \
	LINE("end")

const char queue_redis_script_read[] = NAMES ROW
	LINE("local out = row(ARGV[1])")
	LINE("if not out then return 0 end")
	LINE("local whole = call('GET', result(ARGV[1]))")
	LINE("if whole then out[7] = whole end")
	LINE("return out");

const char queue_redis_script_list[] = NAMES ROW
	LINE("local state, after, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])")
	LINE("local at, out = 0, {}")
	LINE("if after ~= '' then")
	LINE("  at = call('ZRANK', index, after)")
	LINE("  if not at then return 0 end")
	LINE("  at = at + 1")
	LINE("end")
	LINE("while #out < limit do")
	LINE("  local ids = call('ZRANGE', index, at, at + 999)")
	LINE("  if #ids == 0 then break end")
	LINE("  at = at + #ids")
	LINE("  for _, id in ipairs(ids) do")
	LINE("    local r = row(id)")
	LINE("    if r and (state == '' or r[2] == state) and")
	LINE("        #out < limit then out[#out + 1] = r end")
	LINE("  end")
	LINE("end")
	LINE("return out");

const char queue_redis_script_remove[] = NAMES
	LINE("local id = ARGV[1]")
	LINE("drop(call('HGET', task(id), 'entry'))")
	LINE("call('ZREM', later, id)")
	LINE("call('ZREM', index, id)")
	LINE("call('DEL', result(id))")
	LINE("return call('DEL', task(id))");

const char queue_redis_script_leave[] = NAMES
	LINE("local mine = call('XPENDING', tasks, group, '-', '+', 10000,")
	LINE("  ARGV[1])")
	LINE("for _, entry in ipairs(mine) do")
	LINE("  call('XCLAIM', tasks, group, ARGV[1], 0, entry[1],")
	LINE("    'IDLE', ARGV[2], 'JUSTID')")
	LINE("end")
	LINE("return #mine");

/* Workers that are gone for an hour are forgotten by the group. */
const char queue_redis_script_sweep[] = NAMES
	LINE("local due = call('ZRANGEBYSCORE', later, '-inf', ARGV[1],")
	LINE("  'LIMIT', 0, 500)")
	LINE("for _, id in ipairs(due) do")
	LINE("  call('ZREM', later, id)")
	LINE("  if live(id) then add(id) end")
	LINE("end")
	LINE("local at = tonumber(ARGV[2])")
	LINE("local ids = call('ZRANGE', index, at, at + 499)")
	LINE("at = at + #ids")
	LINE("for _, id in ipairs(ids) do")
	LINE("  if call('EXISTS', task(id)) == 0 then")
	LINE("    call('ZREM', index, id)")
	LINE("    at = at - 1")
	LINE("  end")
	LINE("end")
	LINE("if #ids < 500 then at = 0 end")
	LINE("local given = call('XPENDING', tasks, group)[1]")
	LINE("if at == 0 then")
	LINE("  local all = call('XINFO', 'CONSUMERS', tasks, group)")
	LINE("  for _, one in ipairs(all) do")
	LINE("    local c = {}")
	LINE("    for i = 1, #one, 2 do c[one[i]] = one[i + 1] end")
	LINE("    if c.pending == 0 and c.idle > 3600000 then")
	LINE("      call('XGROUP', 'DELCONSUMER', tasks, group, c.name)")
	LINE("    end")
	LINE("  end")
	LINE("end")
	LINE("local oldest = '0'")
	LINE("local first = call('XRANGE', tasks, '-', '+', 'COUNT', 1)[1]")
	LINE("if first then oldest = string.match(first[1], '^%d+') end")
	LINE("return { call('XLEN', tasks), call('ZCARD', later), given,")
	LINE("  oldest, at }");
