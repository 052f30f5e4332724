-- Keeps a request for a run, and the record of its run, which waits.
--
-- KEYS[1] meta
-- ARGV[1] id
-- ARGV[2] the run
-- ARGV[3] head: a JSON array of job, due in ms, expires in ms
-- ARGV[4] input, as JSON
-- ARGV[5] how many requests of the job may wait
-- ARGV[6] the key it was asked with, or ''
-- ARGV[7] digest of its data
-- ARGV[8] how long the key is known, in ms
-- ARGV[9] how many runs of a job are kept at least
-- Returns the id of its run or of the one that was asked for with the key, 'full' or 'reused'

local run, head = cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
local ask = P .. 'ask:' .. run[4] .. '|' .. ARGV[6]
local former = redis.call('HGET', P .. 'formers', run[4])
local known = ARGV[6] ~= '' and (redis.call('GET', ask)
  or former and redis.call('GET', P .. 'ask:' .. former .. '|' .. ARGV[6]))
if known then
  local before, digest = string.match(known, '^([^|]*)|(.*)$')
  return digest == ARGV[7] and before or 'reused'
end
if redis.call('ZSCORE', P .. 'due', ARGV[1]) then return ARGV[1] end
if tonumber(redis.call('HGET', P .. 'waiting', run[4]) or 0) >= tonumber(ARGV[5]) then return 'full' end
if ARGV[6] ~= '' then redis.call('SET', ask, ARGV[1] .. '|' .. ARGV[7], 'PX', ARGV[8]) end
redis.call('ZADD', P .. 'due', head[2], ARGV[1])
redis.call('HSET', P .. 'heads', ARGV[1], ARGV[3])
redis.call('HSET', P .. 'inputs', ARGV[1], ARGV[4])
redis.call('HINCRBY', META, 'bytes', #ARGV[4])
redis.call('HINCRBY', P .. 'waiting', run[4], 1)
place(ARGV[1], run, nil, tonumber(ARGV[9]), 1000)
return ARGV[1]
