-- More runs whose lease is over, with their scores.
--
-- KEYS[1] open
-- ARGV[1] offset
-- ARGV[2] limit
-- Returns now, then member, score, member, score…

return { now, unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', ARGV[1], ARGV[2])) }
