-- An instance stops.
--
-- KEYS[1] meta
-- ARGV[1] instance

redis.call('HDEL', P .. 'members', ARGV[1])
redis.call('HDEL', P .. 'jobs', ARGV[1])
return redis.call('ZREM', P .. 'seen', ARGV[1])
