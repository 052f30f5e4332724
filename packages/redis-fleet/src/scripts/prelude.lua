-- What each script begins with. All keys have the prefix and hash tag of KEYS[1], which ends in `meta`.

local P = string.sub(KEYS[1], 1, -5)
local T = redis.call('TIME')
local now = tonumber(T[1]) * 1000 + math.floor(tonumber(T[2]) / 1000)
