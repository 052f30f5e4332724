-- Keeps a job as a scheduler that starts has it.
--
-- KEYS[1] meta
-- ARGV[1] job
-- ARGV[2] digest
-- ARGV[3] the name it had before, or ''
-- ARGV[4] 1 when it is paused
-- ARGV[5] now, in ms
-- ARGV[6] how far ahead a watermark may be, in ms
-- Returns up to where it is decided, or '' for a job that is new or has another schedule

local job, digest = ARGV[1], ARGV[2]
local text = redis.call('HGET', P .. 'jobs', job)
if not text and ARGV[3] ~= '' then
  text = redis.call('HGET', P .. 'jobs', ARGV[3])
  redis.call('HDEL', P .. 'jobs', ARGV[3])
end
local kept = text and cjson.decode(text)
local decided = kept and kept[1] == digest and kept[2] or ''
local ahead = decided ~= '' and tonumber(decided) > tonumber(ARGV[5]) + tonumber(ARGV[6])
local paused = ARGV[4] == '1' or kept and kept[3] == '1'
local next = (decided == '' or ahead or paused) and ARGV[5] or decided
redis.call('HSET', P .. 'jobs', job, cjson.encode({ digest, next, ARGV[4] }))
return decided
