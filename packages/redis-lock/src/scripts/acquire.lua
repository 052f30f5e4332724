-- Takes a named mutex, for redlock.
--
-- GUARD is replaced by true or false: whether none is given for as long as a mutex may last after a birth of Redis.
-- KEYS[1] mutex
-- KEYS[2] born
-- ARGV[1] value of the holder
-- ARGV[2] ttl, in ms
-- ARGV[3] server
-- Returns 2 for yes, 0 for no.

local GUARD = true
local since = born(KEYS[2], ARGV[3])
if not since or (GUARD and now < since + tonumber(ARGV[2])) then return 0 end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 2 end
return 0
