-- Requests that are due; or what some of them were asked with.
--
-- KEYS[1] meta
-- ARGV[1] now, in ms; or '' when inputs are asked for
-- ARGV[2] how many at most; or a JSON array of ids
-- Returns id, head, id, head…; or input, input…

if ARGV[1] == '' then
  local inputs = {}
  for i, id in ipairs(cjson.decode(ARGV[2])) do inputs[i] = redis.call('HGET', P .. 'inputs', id) or '' end
  return inputs
end
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local head = redis.call('HGET', P .. 'heads', id)
  if head then
    found[#found + 1] = id
    found[#found + 1] = head
  else redis.call('ZREM', P .. 'due', id) end
end
return found
