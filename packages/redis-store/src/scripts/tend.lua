-- Looks after the store: removes what is too old, a bounded number, and tells how Redis stands.
--
-- KEYS[1] meta
-- ARGV[1] a name for what is kept from now on, if it has none
-- ARGV[2] ids below are too old for runs
-- ARGV[3] ids below are too old for failures
-- ARGV[4] ids below are too old for the audit
-- ARGV[5] hours before, in ms, become days
-- ARGV[6] days before, in ms, go
-- ARGV[7] how many bytes all runs may hold
-- ARGV[8] how many runs are kept in all
-- Returns the name of what is kept, its bytes and runs, the policy of a full Redis, how many keys it has evicted, and 1 when
--   there may be more to remove, then ids of runs whose instance is not there any more

local more = 0
local function remove(index, below)
  local ids = redis.call('ZRANGEBYLEX', P .. index, '-', '(' .. below, 'LIMIT', 0, 200)
  for _, id in ipairs(ids) do drop(id, load(id)) end
  if #ids == 200 then more = 1 end
end
redis.call('HSETNX', META, 'name', ARGV[1])
remove('beyond', ARGV[2])
remove('failures', ARGV[3])
for _, id in ipairs(redis.call('ZRANGEBYLEX', P .. 'audit', '-', '(' .. ARGV[4], 'LIMIT', 0, 200)) do
  redis.call('ZREM', P .. 'audit', id)
  redis.call('HDEL', P .. 'entries', id)
end
local hours = redis.call('ZRANGEBYSCORE', P .. 'hours', '-inf', '(' .. ARGV[5], 'LIMIT', 0, 200)
for _, member in ipairs(hours) do toDay(member) end
if #hours == 200 then more = 1 end
for _, index in ipairs({ 'days', 'alldays' }) do
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. index, '-inf', '(' .. ARGV[6], 'LIMIT', 0, 200)) do dropDay(member) end
end
trim(tonumber(ARGV[7]), tonumber(ARGV[8]), 500)
local runs = redis.call('ZCARD', P .. 'runs')
if runs == 0 then redis.call('HSET', META, 'bytes', 0) end
local memory = redis.pcall('INFO', 'memory')
local stats = redis.pcall('INFO', 'stats')
local limited = type(memory) == 'string' and string.match(memory, 'maxmemory:(%d+)') or '0'
local seen = string.sub(P, 1, -7) .. 'fleet:seen'
local left = {}
for _, id in ipairs(redis.call('ZRANGE', P .. 'open', 0, 999)) do
  local run = load(id)
  if not run then redis.call('ZREM', P .. 'open', id)
  elseif run[19] ~= '' and not redis.call('ZSCORE', seen, run[19]) then left[#left + 1] = id end
end
return {
  redis.call('HGET', META, 'name'), redis.call('HGET', META, 'bytes') or '0', runs,
  limited ~= '0' and string.match(memory, 'maxmemory_policy:([%w-]+)') or 'noeviction',
  type(stats) == 'string' and string.match(stats, 'evicted_keys:(%d+)') or '0',
  more,
  left
}
