-- What each script begins with. All keys have the prefix and hash tag of KEYS[1], which is `{prefix}:store:meta`.
--
-- A run is a JSON array of texts, so that no number is rounded:
-- 1 state, 2 cause, 3 text to search, 4 job, 5 key, 6 fence, 7 ended, 8 attempt, 9 restarts, 10 started, 11 late, 12 duration,
-- 13 scheduled at, 14 until, 15 count, 16 errors, 17 trace, 18 instance, 19 owner, 20 facts, 21 reason, 22 bytes.
-- It is in the index of all runs, in that of its job (`wait`, `ran`, or `not` when it did not run), in `open` until it has ended, and in
-- `beyond` or `failures` when newer runs of its job are enough: what is there is removed first.

local META = KEYS[1]
local P = string.sub(META, 1, -5)
local RUN_BYTES = 760
local FAILED = { failed = true, ['timed-out'] = true, abandoned = true, ['lease-lost'] = true }

local function load(id)
  local text = redis.call('GET', P .. 'r:' .. id)
  return text and cjson.decode(text) or nil
end
local function indexOf(run)
  if run[1] == 'due' or run[1] == 'claimed' then return P .. 'wait:' .. run[4] end
  return P .. ((run[1] == 'skipped' or run[1] == 'missed') and 'not:' or 'ran:') .. run[4]
end
local function save(id, run, lines)
  local before = tonumber(run[22]) or 0
  local lengths = 0
  for i = 1, 21 do lengths = lengths + #run[i] end
  if lines and lines ~= '' then redis.call('SET', P .. 'l:' .. id, lines) end
  local bytes = RUN_BYTES + lengths + redis.call('STRLEN', P .. 'l:' .. id)
  run[22] = tostring(bytes)
  redis.call('SET', P .. 'r:' .. id, cjson.encode(run))
  redis.call('HINCRBY', META, 'bytes', bytes - before)
end
-- Removes a run that has ended, or is gone.
local function drop(id, run)
  redis.call('DEL', P .. 'r:' .. id, P .. 'l:' .. id)
  for _, index in ipairs({ 'runs', 'open', 'beyond', 'failures' }) do redis.call('ZREM', P .. index, id) end
  if not run then return end
  for _, index in ipairs({ 'wait:', 'ran:', 'not:', 'failed:' }) do redis.call('ZREM', P .. index .. run[4], id) end
  redis.call('HINCRBY', META, 'bytes', -tonumber(run[22]))
  local ids = run[5] ~= id and redis.call('HGET', P .. 'keys', run[5])
  if not ids then return end
  local left = {}
  for other in string.gmatch(ids, '[^,]+') do if other ~= id then left[#left + 1] = other end end
  if #left == 0 then redis.call('HDEL', P .. 'keys', run[5])
  else redis.call('HSET', P .. 'keys', run[5], table.concat(left, ',')) end
end
-- The runs of a key but one: ids and what is kept of them.
local function others(id, key)
  local found = {}
  for other in string.gmatch(redis.call('HGET', P .. 'keys', key) or '', '[^,]+') do
    local run = other ~= id and load(other)
    if run then found[other] = run end
  end
  return found
end
-- Newer runs of its job are enough: it is among what goes first.
local function demote(id, run)
  if run[7] == '' then return end
  local spared = FAILED[run[1]] and redis.call('ZSCORE', P .. 'failed:' .. run[4], id)
  redis.call('ZADD', P .. (spared and 'failures' or 'beyond'), 0, id)
end
-- Writes a run and puts it where it belongs.
local function place(id, run, lines, keep, keepFailed)
  if run[7] == '' then redis.call('ZADD', P .. 'open', 0, id) else redis.call('ZREM', P .. 'open', id) end
  save(id, run, lines)
  if redis.call('ZADD', P .. 'runs', 0, id) == 1 and run[5] ~= id then
    local ids = redis.call('HGET', P .. 'keys', run[5])
    redis.call('HSET', P .. 'keys', run[5], ids and ids .. ',' .. id or id)
  end
  local index = indexOf(run)
  for _, other in ipairs({ 'wait:', 'ran:' }) do
    if P .. other .. run[4] ~= index then redis.call('ZREM', P .. other .. run[4], id) end
  end
  if FAILED[run[1]] then
    redis.call('ZADD', P .. 'failed:' .. run[4], 0, id)
    if redis.call('ZCARD', P .. 'failed:' .. run[4]) > keepFailed then
      local old = redis.call('ZPOPMIN', P .. 'failed:' .. run[4])[1]
      if redis.call('ZREM', P .. 'failures', old) == 1 then redis.call('ZADD', P .. 'beyond', 0, old) end
    end
  end
  if redis.call('ZADD', index, 0, id) == 1 then
    local crossing = redis.call('ZREVRANGE', index, keep, keep)[1]
    local crossed = crossing and load(crossing)
    if crossed then demote(crossing, crossed) end
  end
  if redis.call('ZREVRANK', index, id) >= keep then demote(id, run) end
end
-- A request waits no more.
local function settle(id)
  local head = redis.call('HGET', P .. 'heads', id)
  if not head then return end
  redis.call('ZREM', P .. 'due', id)
  redis.call('HDEL', P .. 'heads', id)
  redis.call('HINCRBY', META, 'bytes', -redis.call('HSTRLEN', P .. 'inputs', id))
  redis.call('HDEL', P .. 'inputs', id)
  redis.call('HINCRBY', P .. 'waiting', cjson.decode(head)[1], -1)
end
-- Hours of the counters become days.
local function toDay(member)
  local at, job = string.match(member, '^(%d+):(.*)$')
  local day = at - at % 86400000
  local text = string.format('%.0f', day)
  local counts = redis.call('HGETALL', P .. 'c:h' .. member)
  for i = 1, #counts, 2 do redis.call('HINCRBY', P .. 'c:d' .. text .. ':' .. job, counts[i], counts[i + 1]) end
  redis.call('DEL', P .. 'c:h' .. member)
  redis.call('ZREM', P .. 'hours', member)
  redis.call('ZREM', P .. 'spans:' .. job, 'h' .. at)
  redis.call('ZADD', P .. 'spans:' .. job, day, 'd' .. text)
  redis.call('ZADD', P .. (job == '' and 'alldays' or 'days'), day, text .. ':' .. job)
end
local function dropDay(member)
  local at, job = string.match(member, '^(%d+):(.*)$')
  redis.call('DEL', P .. 'c:d' .. member)
  redis.call('ZREM', P .. (job == '' and 'alldays' or 'days'), member)
  redis.call('ZREM', P .. 'spans:' .. job, 'd' .. at)
end
-- kinds: a JSON array of what is counted, once each.
local function count(job, hour, kinds)
  for _, name in ipairs({ '', job }) do
    local member = hour .. ':' .. name
    for _, kind in ipairs(kinds) do redis.call('HINCRBY', P .. 'c:h' .. member, kind, 1) end
    if redis.call('ZADD', P .. 'hours', hour, member) == 1 then
      redis.call('ZADD', P .. 'spans:' .. name, hour, 'h' .. hour)
      redis.call('SADD', P .. 'counted', name)
    end
  end
end
-- Removes what is too much: a bounded number.
local function trim(maxBytes, total, limit)
  for _ = 1, limit do
    local over = tonumber(redis.call('HGET', META, 'bytes') or 0) > maxBytes
    if not over and redis.call('ZCARD', P .. 'runs') <= total then return end
    local id = redis.call('ZRANGE', P .. 'beyond', 0, 0)[1] or (over and redis.call('ZRANGE', P .. 'failures', 0, 0)[1])
    if not id and over then
      for _, old in ipairs(redis.call('ZRANGE', P .. 'runs', 0, 49)) do
        if not id and not redis.call('ZSCORE', P .. 'open', old) then id = old end
      end
    end
    if not id then return end
    drop(id, load(id))
  end
end
