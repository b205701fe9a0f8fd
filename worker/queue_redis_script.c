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
	LINE("if call('XLEN', tasks) + call('ZCARD', later) >=")
	LINE("    tonumber(ARGV[1]) then return 0 end")
	LINE("local id = ARGV[2]")
	LINE("call('HSET', task(id), 'config', ARGV[3], 'created', ARGV[4],")
	LINE("  'state', '0', 'attempts', '0', 'failures', '0')")
	LINE("call('ZADD', index, call('INCR', 'worker:hit:arrivals'), id)")
	LINE("add(id)")
	LINE("return 1");

const char queue_redis_script_begin[] = NAMES
	LINE("local out = {}")
	LINE("for i = 1, #ARGV, 2 do")
	LINE("  local id = ARGV[i + 1]")
	LINE("  if live(id) then")
	LINE("    call('HSET', task(id), 'state', '1', 'entry', ARGV[i])")
	LINE("    call('HINCRBY', task(id), 'attempts', 1)")
	LINE("    local t = call('HMGET', task(id), 'config', 'created',")
	LINE("      'attempts', 'failures')")
	LINE("    out[#out + 1] = { ARGV[i], id, t[1], t[2], t[3], t[4] }")
	LINE("  else")
	LINE("    drop(ARGV[i])")
	LINE("  end")
	LINE("end")
	LINE("return out");

const char queue_redis_script_end[] = NAMES
	LINE("local id, ttl = ARGV[1], tonumber(ARGV[6])")
	LINE("drop(ARGV[2])")
	LINE("if not live(id) then return 0 end")
	LINE("drop(call('HGET', task(id), 'entry'))")
	LINE("call('ZREM', later, id)")
	LINE("call('HSET', task(id), 'state', ARGV[3], 'error', ARGV[4],")
	LINE("  'ended', ARGV[5])")
	LINE("call('HDEL', task(id), 'config', 'entry')")
	LINE("call('PEXPIRE', task(id), ttl)")
	LINE("call('SET', result(id), ARGV[7], 'PX', ttl)")
	LINE("return 1");

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
