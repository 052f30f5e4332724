-- Erases runs that have ended, a bounded number of a job; then its counters, requests and incidents are erased by the caller.
--
-- KEYS[1] meta
-- ARGV[1] 'run' or 'job'
-- ARGV[2] the id of the run, or the name of the job
-- Returns how many runs were erased, and 1 when there may be more

local given = ARGV[2]
if ARGV[1] == 'run' then
  local run = load(given)
  if not run or run[7] == '' then return { 0, 0 } end
  drop(given, run)
  return { 1, 0 }
end
local erased, looked = 0, 0
for _, index in ipairs({ 'wait:', 'ran:', 'not:' }) do
  for _, id in ipairs(redis.call('ZRANGE', P .. index .. given, 0, 499)) do
    local run = load(id)
    looked = looked + 1
    if not run then redis.call('ZREM', P .. index .. given, id)
    elseif run[7] ~= '' or run[1] == 'due' then
      settle(id)
      drop(id, run)
      erased = erased + 1
    end
  end
end
if erased > 0 and looked >= 500 then return { erased, 1 } end
for _, span in ipairs(redis.call('ZRANGE', P .. 'spans:' .. given, 0, -1)) do
  local member = string.sub(span, 2) .. ':' .. given
  redis.call('DEL', P .. 'c:' .. string.sub(span, 1, 1) .. member)
  redis.call('ZREM', P .. (string.sub(span, 1, 1) == 'h' and 'hours' or 'days'), member)
end
redis.call('DEL', P .. 'spans:' .. given)
redis.call('SREM', P .. 'counted', given)
return { erased, 0 }
