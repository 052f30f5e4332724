-- The names of the jobs that were counted.
--
-- KEYS[1] meta

return redis.call('SMEMBERS', P .. 'counted')
