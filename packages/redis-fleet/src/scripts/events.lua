-- What has happened to instances: kept for a time, and a number of them.
--
-- KEYS[1] meta
-- ARGV[1] 'tell' or 'read'
-- ARGV[2] when, in ms; or the newest that is wanted
-- ARGV[3] the event as JSON; or the oldest that is wanted
-- ARGV[4] events before are too old, in ms; or how many are wanted
-- ARGV[5] how many are kept
-- Returns events

local key = P .. 'events'
if ARGV[1] == 'read' then return redis.call('ZREVRANGEBYSCORE', key, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4]) end
redis.call('ZADD', key, ARGV[2], ARGV[3])
redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. ARGV[4])
redis.call('ZREMRANGEBYRANK', key, 0, -tonumber(ARGV[5]) - 1)
return {}
