-- The lines that a run has logged.
--
-- KEYS[1] meta
-- ARGV[1] id

return redis.call('GET', P .. 'l:' .. ARGV[1])
