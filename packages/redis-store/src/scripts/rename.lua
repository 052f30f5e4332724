-- What is kept of a job becomes that of its new name: a bounded number of runs, then its counters.
--
-- KEYS[1] meta
-- ARGV[1] the name before
-- ARGV[2] the name
-- ARGV[3] the name in lower case
-- ARGV[4] how many runs of a job are kept at least
-- ARGV[5] how many failures of a job are kept
-- Returns 1 when there may be more

local old, new = ARGV[1], ARGV[2]
redis.call('HSET', P .. 'formers', new, old)
local moved = 0
for _, index in ipairs({ 'wait:', 'ran:', 'not:' }) do
  for _, id in ipairs(redis.call('ZRANGE', P .. index .. old, 0, 199)) do
    redis.call('ZREM', P .. index .. old, id)
    redis.call('ZREM', P .. 'failed:' .. old, id)
    redis.call('ZREM', P .. 'beyond', id)
    redis.call('ZREM', P .. 'failures', id)
    local run = load(id)
    local head = redis.call('HGET', P .. 'heads', id)
    if head then
      local fields = cjson.decode(head)
      fields[1] = new
      redis.call('HSET', P .. 'heads', id, cjson.encode(fields))
      redis.call('HINCRBY', P .. 'waiting', old, -1)
      redis.call('HINCRBY', P .. 'waiting', new, 1)
    end
    if run then
      run[4] = new
      run[3] = ARGV[3] .. (string.match(run[3], '\n.*$') or '\n')
      place(id, run, nil, tonumber(ARGV[4]), tonumber(ARGV[5]))
    end
    moved = moved + 1
  end
end
if moved > 0 then return 1 end
for _, span in ipairs(redis.call('ZRANGE', P .. 'spans:' .. old, 0, -1)) do
  local kind, at = string.sub(span, 1, 1), string.sub(span, 2)
  local from, to = P .. 'c:' .. span .. ':' .. old, P .. 'c:' .. span .. ':' .. new
  local counts = redis.call('HGETALL', from)
  for i = 1, #counts, 2 do redis.call('HINCRBY', to, counts[i], counts[i + 1]) end
  redis.call('DEL', from)
  local list = P .. (kind == 'h' and 'hours' or 'days')
  redis.call('ZREM', list, at .. ':' .. old)
  redis.call('ZADD', list, at, at .. ':' .. new)
  redis.call('ZADD', P .. 'spans:' .. new, at, span)
  redis.call('SADD', P .. 'counted', new)
end
redis.call('DEL', P .. 'spans:' .. old)
redis.call('SREM', P .. 'counted', old)
return 0
