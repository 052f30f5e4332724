-- Gives a named mutex back, for redlock.
--
-- KEYS[1] mutex
-- ARGV[1] value of the holder
-- Returns 2 for yes, 0 for no.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 2
