-- Incidents: each a JSON array of its version and its text, in a hash by its key.
--
-- KEYS[1] meta
-- ARGV[1] 'load', 'save' or 'remove'
-- ARGV[2] its key, or '' for all
-- ARGV[3] its version: that which is saved, or removed
-- ARGV[4] its text
-- Returns texts, or 1 when it was done

local key = P .. 'incidents'
if ARGV[1] == 'load' then
  local all = ARGV[2] == '' and redis.call('HVALS', key) or { redis.call('HGET', key, ARGV[2]) or nil }
  local texts = {}
  for i, one in ipairs(all) do texts[i] = cjson.decode(one)[2] end
  return texts
end
local kept = redis.call('HGET', key, ARGV[2])
local version = kept and tonumber(cjson.decode(kept)[1]) or 0
if ARGV[1] == 'remove' then return kept and version == tonumber(ARGV[3]) and redis.call('HDEL', key, ARGV[2]) or 0 end
if version ~= tonumber(ARGV[3]) - 1 then return 0 end
redis.call('HSET', key, ARGV[2], cjson.encode({ ARGV[3], ARGV[4] }))
return 1
