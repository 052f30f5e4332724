-- Runs of one index that are asked for, as far as one call looks.
--
-- KEYS[1] meta
-- ARGV[1] index: a name behind the prefix; `id` or `key` when the runs of ARGV[2] are meant
-- ARGV[2] where to begin: an id, a key, or a bound of the index
-- ARGV[3] where to end
-- ARGV[4] 1: the oldest first
-- ARGV[5] how many are wanted
-- ARGV[6] how many are looked at
-- ARGV[7] tests: JSON, with the fields `states`, `causes`, `text`, `job`, `key`, `id`, `from`, `to` (ids)
-- Returns the id where the next look begins, or '', how many were gone, then id, run, id, run…

local index, first, last = ARGV[1], ARGV[2], ARGV[3]
local tests = cjson.decode(ARGV[7])
local ids
if index == 'id' then ids = { first }
elseif index == 'key' then
  ids = { first }
  for other in string.gmatch(redis.call('HGET', P .. 'keys', first) or '', '[^,]+') do ids[#ids + 1] = other end
  table.sort(ids, function(a, b) return a > b end)
elseif ARGV[4] == '1' then ids = redis.call('ZRANGEBYLEX', P .. index, first, last, 'LIMIT', 0, ARGV[6])
else ids = redis.call('ZREVRANGEBYLEX', P .. index, first, last, 'LIMIT', 0, ARGV[6]) end

local found = { '', 0 }
local wanted, gone = tonumber(ARGV[5]), 0
local function fits(id, run)
  return (not tests.states or tests.states[run[1]])
    and (not tests.causes or tests.causes[run[2]])
    and (not tests.text or string.find(run[3], tests.text, 1, true))
    and (not tests.job or tests.job == run[4])
    and (not tests.key or tests.key == run[5])
    and (not tests.id or tests.id == id)
    and (not tests.from or id >= tests.from)
    and (not tests.to or id < tests.to)
    and (not tests.after or id > tests.after)
end
for _, id in ipairs(ids) do
  if #found >= 2 + 2 * wanted then break end
  local text = redis.call('GET', P .. 'r:' .. id)
  if text then
    if fits(id, cjson.decode(text)) then
      found[#found + 1] = id
      found[#found + 1] = text
    end
  elseif index ~= 'id' and index ~= 'key' then
    gone = gone + 1
    if index == 'runs' then
      -- It was evicted.
      local bytes = tonumber(redis.call('HGET', META, 'bytes') or 0)
      redis.call('HINCRBY', META, 'bytes', -math.floor(bytes / math.max(1, redis.call('ZCARD', P .. 'runs'))))
      drop(id)
    else redis.call('ZREM', P .. index, id) end
  end
  if index ~= 'id' and index ~= 'key' then found[1] = id end
end
if #ids < tonumber(ARGV[6]) and #found < 2 + 2 * wanted or #found >= 2 + 2 * wanted then found[1] = '' end
found[2] = gone
return found
