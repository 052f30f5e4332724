-- Which of some requests wait.
--
-- KEYS[1] meta
-- ARGV[1] a JSON array of ids
-- Returns ids

local found = {}
for _, id in ipairs(cjson.decode(ARGV[1])) do
  if redis.call('ZSCORE', P .. 'due', id) then found[#found + 1] = id end
end
return found
