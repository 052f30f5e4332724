-- Pauses: of each job the one with the highest version, or none when it was resumed. Some are put, all are given.
--
-- KEYS[1] meta
-- ARGV[1…] job, version, body, job, version, body…: `version|body` is kept when its version is higher than what is kept.
-- Returns job, `version|body`, job…

local changed = false
for i = 1, #ARGV, 3 do
  local kept = redis.call('HGET', P .. 'pauses', ARGV[i])
  local version = kept and string.match(kept, '^([^|]*)|')
  if not version or version < ARGV[i + 1] then
    redis.call('HSET', P .. 'pauses', ARGV[i], ARGV[i + 1] .. '|' .. ARGV[i + 2])
    changed = true
  end
end
if changed then redis.call('HINCRBY', KEYS[1], 'news', 1) end
return redis.call('HGETALL', P .. 'pauses')
