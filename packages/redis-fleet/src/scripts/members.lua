-- The instances that are there.
--
-- KEYS[1] meta
-- ARGV[1] how long an instance counts as there, in ms
-- Returns instance, seen, how it stands, jobs, instance…

local found = {}
local seen = redis.call('ZRANGEBYSCORE', P .. 'seen', now - tonumber(ARGV[1]), '+inf', 'WITHSCORES')
for i = 1, #seen, 2 do
  found[#found + 1] = seen[i]
  found[#found + 1] = seen[i + 1]
  found[#found + 1] = redis.call('HGET', P .. 'members', seen[i]) or ''
  found[#found + 1] = redis.call('HGET', P .. 'jobs', seen[i]) or ''
end
return found
