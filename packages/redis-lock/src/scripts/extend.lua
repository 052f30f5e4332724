-- Renews a named mutex, for redlock.
--
-- KEYS[1] mutex
-- ARGV[1] value of the holder
-- ARGV[2] ttl, in ms
-- Returns 2 for yes, 0 for no.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 2
