-- An instance is there. Those that were not seen for long are lost.
--
-- KEYS[1] meta
-- ARGV[1] instance
-- ARGV[2] how it stands, as JSON
-- ARGV[3] its jobs, as JSON; or '' when they are as before
-- ARGV[4] its clock, in ms
-- ARGV[5] how long it counts as there, in ms
-- Returns 1 when its jobs are not known, then the instances that are lost

local lost = redis.call('ZRANGEBYSCORE', P .. 'seen', '-inf', now - tonumber(ARGV[5]))
local answer = { 0 }
for _, id in ipairs(lost) do
  redis.call('HDEL', P .. 'members', id)
  redis.call('HDEL', P .. 'jobs', id)
  redis.call('ZREM', P .. 'seen', id)
  answer[#answer + 1] = id
end
local skew = string.format('%.0f', tonumber(ARGV[4]) - now)
redis.call('ZADD', P .. 'seen', now, ARGV[1])
redis.call('HSET', P .. 'members', ARGV[1], skew .. '|' .. ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', P .. 'jobs', ARGV[1], ARGV[3])
elseif redis.call('HEXISTS', P .. 'jobs', ARGV[1]) == 0 then answer[1] = 1 end
return answer
