-- Counters of one job, or of all together.
--
-- KEYS[1] meta
-- ARGV[1] the job, or ''
-- ARGV[2] from, in ms
-- ARGV[3] until, in ms
-- Returns at, counts, at, counts…; counts are kind, count, kind, count…

local found = {}
for _, span in ipairs(redis.call('ZRANGEBYSCORE', P .. 'spans:' .. ARGV[1], ARGV[2], '(' .. ARGV[3])) do
  local at = string.sub(span, 2)
  found[#found + 1] = at
  found[#found + 1] = redis.call('HGETALL', P .. 'c:' .. string.sub(span, 1, 1) .. at .. ':' .. ARGV[1])
end
return found
