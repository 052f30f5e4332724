-- Every tick of some jobs up to an instant is decided.
--
-- KEYS[1] meta
-- ARGV[1] JSON: an array of job, instant in ms, job, instant…

local given = cjson.decode(ARGV[1])
for i = 1, #given, 2 do
  local text = redis.call('HGET', P .. 'jobs', given[i])
  local kept = text and cjson.decode(text)
  if kept and tonumber(given[i + 1]) > tonumber(kept[2]) then
    kept[2] = given[i + 1]
    redis.call('HSET', P .. 'jobs', given[i], cjson.encode(kept))
  end
end
return 1
