-- The audit: entries by their ids.
--
-- KEYS[1] meta
-- ARGV[1] 'add' or 'list'
-- ARGV[2] the id; or the newest that is wanted, as a bound
-- ARGV[3] the entry; or the oldest that is wanted, as a bound
-- ARGV[4] how many are kept; or how many are wanted
-- Returns entries, or 1

if ARGV[1] == 'add' then
  redis.call('ZADD', P .. 'audit', 0, ARGV[2])
  redis.call('HSET', P .. 'entries', ARGV[2], ARGV[3])
  if redis.call('ZCARD', P .. 'audit') > tonumber(ARGV[4]) then
    redis.call('HDEL', P .. 'entries', redis.call('ZPOPMIN', P .. 'audit')[1])
  end
  return 1
end
local found = {}
for _, id in ipairs(redis.call('ZREVRANGEBYLEX', P .. 'audit', ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])) do
  found[#found + 1] = redis.call('HGET', P .. 'entries', id) or nil
end
return found
