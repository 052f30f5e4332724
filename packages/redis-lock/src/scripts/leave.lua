-- Forgets an instance.
--
-- KEYS[1] instances
-- KEYS[2] KEYS[3] head and jobs of the instance
-- ARGV[1] instance
-- Returns now, 'left' or 'unknown'.

redis.call('DEL', KEYS[2], KEYS[3])
return { now, redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and 'left' or 'unknown' }
