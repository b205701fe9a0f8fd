/*
 * The transactions of the queue in Redis, in Lua: each is one step that no
 * other worker sees half of. What is done for many tasks is asked of Redis
 * once for all of them: a call costs more than what it does.
 */
#include "queue_redis_script.h"

#define LINE(text)	text "\n"

#define NAMES \
	LINE("local call = redis.call") \
	LINE("local tasks, group = 'worker:hit:2:tasks', 'workers'") \
	LINE("local live, over = 'worker:hit:2:live', 'worker:hit:2:over'") \
	LINE("local index = 'worker:hit:2:index'") \
	LINE("local later = 'worker:hit:2:later'") \
	LINE("local function again(id)") \
	LINE("  return 'worker:hit:2:again:' .. id") \
	LINE("end") \
	LINE("local function before(id) return 'worker:hit:task:' .. id end") \
	LINE("local function result(id)") \
	LINE("  return 'worker:hit:result:' .. id") \
	LINE("end") \
	LINE("local function drop(entry)") \
	LINE("  if entry and entry ~= '' then") \
	LINE("    call('XACK', tasks, group, entry)") \
	LINE("    call('XDEL', tasks, entry)") \
	LINE("  end") \
	LINE("end") \
	LINE("local function add(id, fields)") \
	LINE("  local entry = call('XADD', tasks, '*', unpack(fields))") \
	LINE("  call('HSET', live, id, entry)") \
	LINE("end") \
	LINE("local function put(id, fields, due)") \
	LINE("  call('HSET', again(id), unpack(fields))") \
	LINE("  call('HSET', live, id, '')") \
	LINE("  call('ZADD', later, due, id)") \
	LINE("end")

/* What is known of a task that is not over, and how often its entry was given
 * out. */
#define TASK \
	LINE("local function tries(entry)") \
	LINE("  if entry == '' then return 0 end") \
	LINE("  local p = redis.pcall('XPENDING', tasks, group, entry,") \
	LINE("    entry, 1)") \
	LINE("  return p[1] and p[1][4] or 0") \
	LINE("end") \
	LINE("local function task(id, entry)") \
	LINE("  local fields") \
	LINE("  if entry == '' then") \
	LINE("    fields = call('HGETALL', again(id))") \
	LINE("  else") \
	LINE("    local one = call('XRANGE', tasks, entry, entry)[1]") \
	LINE("    fields = one and one[2] or {}") \
	LINE("  end") \
	LINE("  local t = { task = '', error = '' }") \
	LINE("  for i = 1, #fields, 2 do t[fields[i]] = fields[i + 1] end") \
	LINE("  local made, attempts, failures =") \
	LINE("    string.match(t.task, '(%d+) (%d+) (%d+)$')") \
	LINE("  t.created = made or '0'") \
	LINE("  t.attempts = tonumber(attempts or 0)") \
	LINE("  t.failures = tonumber(failures or 0)") \
	LINE("  return t") \
	LINE("end")

const char queue_redis_script_push[] = NAMES
	LINE("local n = math.min(#ARGV - 2,")
	LINE("  tonumber(ARGV[1]) - call('HLEN', live))")
	LINE("if n <= 0 then return 0 end")
	LINE("local at = call('INCRBY', 'worker:hit:arrivals', n) - n")
	LINE("local places, entries = {}, {}")
	LINE("for i = 1, n do")
	LINE("  local one = ARGV[i + 2]")
	LINE("  local id = string.sub(one, 1, 36)")
	LINE("  places[2 * i - 1], places[2 * i] = at + i, id")
	LINE("  entries[2 * i - 1] = id")
	LINE("  entries[2 * i] = call('XADD', tasks, '*', 'task', one,")
	LINE("    'config', ARGV[2])")
	LINE("end")
	LINE("call('HSET', live, unpack(entries))")
	LINE("call('ZADD', index, unpack(places))")
	LINE("return n");

const char queue_redis_script_claim[] = NAMES TASK
	LINE("local got = redis.pcall('XAUTOCLAIM', tasks, group, ARGV[1],")
	LINE("  ARGV[2], ARGV[3], 'COUNT', ARGV[4])")
	LINE("if got.err then return got end")
	LINE("local out = { got[1] }")
	LINE("for _, one in ipairs(got[2]) do")
	LINE("  local entry, fields = one and one[1], one and one[2]")
	LINE("  if fields then")
	LINE("    local id = string.sub(fields[2], 1, 36)")
	LINE("    if call('HGET', live, id) == entry then")
	LINE("      out[#out + 1] = { entry, fields, tries(entry) }")
	LINE("    else")
	LINE("      drop(entry)")
	LINE("    end")
	LINE("  end")
	LINE("end")
	LINE("return out");

/* What is taken away comes first: where Redis has no memory left, it lets a
 * step that began go on. */
const char queue_redis_script_end[] = NAMES TASK
	LINE("local ids, out, entries = {}, {}, {}")
	LINE("local gone, records, jsons = {}, {}, {}")
	LINE("local function done(id, entry, record, json)")
	LINE("  local head, tail = string.match(record,")
	LINE("    '^(%d+ %d+) 0 0 (.*)$')")
	LINE("  if head then")
	LINE("    local t = task(id, entry)")
	LINE("    record = table.concat({ head, t.attempts + tries(entry),")
	LINE("      t.created, tail }, ' ')")
	LINE("  end")
	LINE("  if entry == '' then")
	LINE("    call('ZREM', later, id)")
	LINE("    call('DEL', again(id))")
	LINE("  end")
	LINE("  gone[#gone + 1] = id")
	LINE("  jsons[#gone] = json")
	LINE("  records[2 * #gone - 1], records[2 * #gone] = id, record")
	LINE("end")
	LINE("for i = 2, #ARGV, 4 do ids[#ids + 1] = ARGV[i] end")
	LINE("local seen = {}")
	LINE("for n, entry in ipairs(call('HMGET', live, unpack(ids))) do")
	LINE("  local id, i = ids[n], 4 * n - 2")
	LINE("  local mine = ARGV[i + 1]")
	LINE("  if mine ~= '' then entries[#entries + 1] = mine end")
	LINE("  out[n] = 0")
	LINE("  if entry and not seen[id] then")
	LINE("    if entry ~= mine and entry ~= '' then")
	LINE("      entries[#entries + 1] = entry")
	LINE("    end")
	LINE("    done(id, entry, ARGV[i + 2], ARGV[i + 3])")
	LINE("    out[n], seen[id] = 1, true")
	LINE("  end")
	LINE("end")
	LINE("if #gone > 0 then call('HDEL', live, unpack(gone)) end")
	LINE("if #entries > 0 then")
	LINE("  call('XACK', tasks, group, unpack(entries))")
	LINE("  call('XDEL', tasks, unpack(entries))")
	LINE("end")
	LINE("if #gone > 0 then call('HSET', over, unpack(records)) end")
	LINE("for n, id in ipairs(gone) do")
	LINE("  call('SET', result(id), jsons[n], 'PX', ARGV[1])")
	LINE("end")
	LINE("return out");

/* The attempt that failed was one, whatever the group knows of it. A failure
 * is counted once: neither when its answer was lost and it is told again, nor
 * when two workers had the same entry is what follows it stopped. */
const char queue_redis_script_again[] = NAMES TASK
	LINE("local id = ARGV[1]")
	LINE("local entry = call('HGET', live, id)")
	LINE("if not entry then")
	LINE("  drop(ARGV[2])")
	LINE("  return 0")
	LINE("end")
	LINE("local t = task(id, entry)")
	LINE("local attempts = t.attempts")
	LINE("if t.failures > tonumber(ARGV[5]) then")
	LINE("  if ARGV[2] ~= entry then drop(ARGV[2]) end")
	LINE("  return 0")
	LINE("end")
	LINE("if entry ~= '' then")
	LINE("  attempts = attempts + math.max(tries(entry), 1)")
	LINE("end")
	LINE("if ARGV[2] ~= entry then drop(ARGV[2]) end")
	LINE("drop(entry)")
	LINE("if not t.config then")
	LINE("  call('HDEL', live, id)")
	LINE("  return 0")
	LINE("end")
	LINE("put(id, { 'task', table.concat({ id, t.created, attempts,")
	LINE("  t.failures + 1 }, ' '), 'config', t.config,")
	LINE("  'error', ARGV[3] }, ARGV[4])")
	LINE("return 1");

/* A row of the list; nil: it is over for good. */
#define ROW \
	LINE("local function known(id, entry, times)") \
	LINE("  local t = task(id, entry)") \
	LINE("  local n = t.attempts + times") \
	LINE("  return { id, n > 0 and '1' or '0', tostring(n), t.created,") \
	LINE("    '0', t.error }") \
	LINE("end") \
	LINE("local function ended(id, record, now)") \
	LINE("  local expires, state, attempts, created, at, error =") \
	LINE("    string.match(record,") \
	LINE("    '^(%d+) (%d+) (%d+) (%d+) (%d+) (.*)$')") \
	LINE("  if not expires or tonumber(expires) <= now then") \
	LINE("    return nil") \
	LINE("  end") \
	LINE("  return { id, state, attempts, created, at, error }") \
	LINE("end") \
	LINE("local function old(id)") \
	LINE("  local t = call('HMGET', before(id), 'state', 'attempts',") \
	LINE("    'created', 'ended', 'error')") \
	LINE("  if not t[1] then return nil end") \
	LINE("  return { id, t[1], t[2] or '0', t[3] or '0', t[4] or '0',") \
	LINE("    t[5] or '' }") \
	LINE("end")

const char queue_redis_script_read[] = NAMES TASK ROW
	LINE("local id = ARGV[1]")
	LINE("local entry = call('HGET', live, id)")
	LINE("if entry then return known(id, entry, tries(entry)) end")
	LINE("local whole = call('GET', result(id))")
	LINE("local record = whole and call('HGET', over, id)")
	LINE("local row = record and ended(id, record, 0) or old(id)")
	LINE("if row and whole then row[7] = whole end")
	LINE("return row or 0");

const char queue_redis_script_list[] = NAMES TASK ROW
	LINE("local state, after = ARGV[1], ARGV[2]")
	LINE("local limit, now = tonumber(ARGV[3]), tonumber(ARGV[4])")
	LINE("local at, out, times = 0, {}, {}")
	LINE("if after ~= '' then")
	LINE("  at = call('ZRANK', index, after)")
	LINE("  if not at then return 0 end")
	LINE("  at = at + 1")
	LINE("end")
	LINE("local p = redis.pcall('XPENDING', tasks, group, '-', '+',")
	LINE("  1000000)")
	LINE("for _, one in ipairs(p) do times[one[1]] = one[4] end")
	LINE("while #out < limit do")
	LINE("  local ids = call('ZRANGE', index, at, at + 999)")
	LINE("  if #ids == 0 then break end")
	LINE("  at = at + #ids")
	LINE("  local entries = call('HMGET', live, unpack(ids))")
	LINE("  local records = call('HMGET', over, unpack(ids))")
	LINE("  for i, id in ipairs(ids) do")
	LINE("    local entry, record, r = entries[i], records[i], nil")
	LINE("    if #out == limit then break end")
	LINE("    if not entry then")
	LINE("      r = record and ended(id, record, now) or old(id)")
	LINE("    elseif state ~= '2' and state ~= '3' then")
	LINE("      r = known(id, entry, times[entry] or 0)")
	LINE("    end")
	LINE("    if r and (state == '' or r[2] == state) then")
	LINE("      out[#out + 1] = r")
	LINE("    end")
	LINE("  end")
	LINE("end")
	LINE("return out");

const char queue_redis_script_remove[] = NAMES
	LINE("local id = ARGV[1]")
	LINE("drop(call('HGET', live, id))")
	LINE("call('ZREM', later, id)")
	LINE("call('ZREM', index, id)")
	LINE("call('HDEL', over, id)")
	LINE("call('DEL', again(id))")
	LINE("local found = call('HDEL', live, id) +")
	LINE("  call('DEL', result(id), before(id))")
	LINE("return found > 0 and 1 or 0");

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
	LINE("local now, at = tonumber(ARGV[1]), tonumber(ARGV[2])")
	LINE("local due = call('ZRANGEBYSCORE', later, '-inf', ARGV[1],")
	LINE("  'LIMIT', 0, 500)")
	LINE("for _, id in ipairs(due) do")
	LINE("  local t = call('HMGET', again(id), 'task', 'config', 'error')")
	LINE("  call('ZREM', later, id)")
	LINE("  call('DEL', again(id))")
	LINE("  if t[1] and call('HGET', live, id) == '' then")
	LINE("    add(id, { 'task', t[1], 'config', t[2], 'error', t[3] })")
	LINE("  end")
	LINE("end")
	LINE("local ids, gone = call('ZRANGE', index, at, at + 499), {}")
	LINE("if #ids > 0 then")
	LINE("  local entries = call('HMGET', live, unpack(ids))")
	LINE("  local records = call('HMGET', over, unpack(ids))")
	LINE("  for i, id in ipairs(ids) do")
	LINE("    local expires = records[i] and")
	LINE("      tonumber(string.match(records[i], '^%d+'))")
	LINE("    local left = expires and result(id) or before(id)")
	LINE("    if not entries[i] and (expires or 0) <= now and")
	LINE("        call('EXISTS', left) == 0 then")
	LINE("      gone[#gone + 1] = id")
	LINE("    end")
	LINE("  end")
	LINE("  if #gone > 0 then")
	LINE("    call('ZREM', index, unpack(gone))")
	LINE("    call('HDEL', over, unpack(gone))")
	LINE("  end")
	LINE("  at = at + #ids - #gone")
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
	LINE("  oldest, at, (#due == 500 or #gone == 500) and 1 or 0,")
	LINE("  call('EXISTS', 'worker:hit:tasks', 'worker:hit:later',")
	LINE("  'worker:hit:index') }");

/* What was begun is taken over as from any worker. A stream that is empty
 * goes when no worker of then has asked it for a minute: those of now are one
 * consumer. */
const char queue_redis_script_move[] = NAMES
	LINE("local stream, due = 'worker:hit:tasks', 'worker:hit:later'")
	LINE("local list, me, n = 'worker:hit:index', 'mover', 0")
	LINE("local function move(id, at)")
	LINE("  local t = call('HMGET', before(id), 'config', 'created',")
	LINE("    'attempts', 'failures', 'error')")
	LINE("  n = n + 1")
	LINE("  if not t[1] then return end")
	LINE("  call('DEL', before(id))")
	LINE("  if call('HEXISTS', live, id) == 1 then return end")
	LINE("  local fields = { 'task', table.concat({ id, t[2] or '0',")
	LINE("    t[3] or '0', t[4] or '0' }, ' '), 'config', t[1],")
	LINE("    'error', t[5] or '' }")
	LINE("  if at then put(id, fields, at) else add(id, fields) end")
	LINE("end")
	LINE("local function entries(all)")
	LINE("  for _, one in ipairs(all) do")
	LINE("    local fields = one and one[2]")
	LINE("    if fields then")
	LINE("      call('XACK', stream, group, one[1])")
	LINE("      call('XDEL', stream, one[1])")
	LINE("      move(fields[2])")
	LINE("    end")
	LINE("  end")
	LINE("end")
	LINE("local places = call('ZRANGE', list, 0, 199, 'WITHSCORES')")
	LINE("for i = 1, #places, 2 do")
	LINE("  call('ZREM', list, places[i])")
	LINE("  call('ZADD', index, places[i + 1], places[i])")
	LINE("  n = n + 1")
	LINE("end")
	LINE("local waits = call('ZRANGE', due, 0, 199, 'WITHSCORES')")
	LINE("for i = 1, #waits, 2 do")
	LINE("  call('ZREM', due, waits[i])")
	LINE("  move(waits[i], waits[i + 1])")
	LINE("end")
	LINE("if call('EXISTS', stream) == 0 then return n end")
	LINE("redis.pcall('XGROUP', 'CREATE', stream, group, '0')")
	LINE("local new = call('XREADGROUP', 'GROUP', group, me, 'COUNT', 200,")
	LINE("  'STREAMS', stream, '>')")
	LINE("if new then entries(new[1][2]) end")
	LINE("entries(call('XAUTOCLAIM', stream, group, me, ARGV[1], '0-0',")
	LINE("  'COUNT', 200)[2])")
	LINE("if n > 0 or call('XLEN', stream) > 0 then return n end")
	LINE("local all = call('XINFO', 'CONSUMERS', stream, group)")
	LINE("for _, one in ipairs(all) do")
	LINE("  local c = {}")
	LINE("  for i = 1, #one, 2 do c[one[i]] = one[i + 1] end")
	LINE("  if c.name ~= me and c.idle < 60000 then return n end")
	LINE("end")
	LINE("call('DEL', stream)")
	LINE("return n");
