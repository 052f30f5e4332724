-- A run has ended. What was abandoned or taken over is not overwritten; skips in a row are one record; what is kept is counted.
--
-- KEYS[1] meta
-- ARGV[1] id
-- ARGV[2] the run
-- ARGV[3] lines
-- ARGV[4] how many runs of a job are kept at least
-- ARGV[5] how many failures of a job are kept
-- ARGV[6] the hour in which it was made, in ms
-- ARGV[7] what is counted: a JSON array
-- ARGV[8] how many bytes all runs may hold
-- ARGV[9] how many runs are kept in all
-- ARGV[10] how many counters of an hour there may be
-- Returns 'kept', 'known', or 'refused'

local id, run = ARGV[1], cjson.decode(ARGV[2])
local keep, keepFailed = tonumber(ARGV[4]), tonumber(ARGV[5])
local kept = load(id)
local before = others(id, run[5])
local abandoned = run[1] == 'abandoned'

local function counted()
  count(run[4], ARGV[6], cjson.decode(ARGV[7]))
  for _ = 1, 5 do
    if redis.call('ZCARD', P .. 'hours') > tonumber(ARGV[10]) then toDay(redis.call('ZRANGE', P .. 'hours', 0, 0)[1])
    elseif redis.call('ZCARD', P .. 'days') > tonumber(ARGV[10]) then dropDay(redis.call('ZRANGE', P .. 'days', 0, 0)[1]) end
  end
  return 'kept'
end

-- The newest record of the job, as far as it is one of the same reason.
local function merged()
  if run[1] ~= 'skipped' or kept then return end
  local newest = redis.call('ZREVRANGE', P .. 'not:' .. run[4], 0, 0)[1]
  local last = newest and load(newest)
  if not last or last[1] ~= 'skipped' or last[21] ~= run[21] then return end
  local ran = redis.call('ZREVRANGE', P .. 'ran:' .. run[4], 0, 0)[1]
  if ran and ran > newest then return end
  local at = last[14] ~= '' and last[14] or last[13]
  if tonumber(run[13]) <= tonumber(at) then return 'known' end
  last[14] = run[13]
  last[15] = tostring((tonumber(last[15]) or 1) + 1)
  save(newest, last)
  return counted()
end

if run[8] == '0' and not abandoned then
  local answer = merged()
  if answer then return answer end
  if next(before) then return 'known' end
end
if abandoned and not kept then
  -- An instance that knows the tick only: the run that was begun is meant.
  for other, one in pairs(before) do
    if one[7] == '' and (run[6] == '' or one[6] == '' or run[6] == one[6]) then id, kept = other, one end
  end
end
if kept and kept[7] ~= '' then return (abandoned or kept[1] == run[1] and kept[7] == run[7]) and 'known' or 'refused' end
if kept and kept[1] ~= 'due' and kept[1] ~= 'claimed' and kept[6] ~= run[6] and id == ARGV[1] then return abandoned and 'known' or 'refused' end
if run[1] == 'succeeded' and run[6] ~= '' then
  for _, one in pairs(before) do
    if one[6] ~= '' and tonumber(one[6]) > tonumber(run[6]) then return 'refused' end
  end
end
if kept then
  -- What was known before and is not said now stays.
  for _, field in ipairs({ 6, 10, 16, 17, 20 }) do if run[field] == '' then run[field] = kept[field] end end
  if tonumber(kept[8]) > tonumber(run[8]) then run[8] = kept[8] end
  if abandoned then
    for _, field in ipairs({ 2, 9, 13, 18 }) do run[field] = kept[field] end
  end
  run[19], run[22] = kept[19], kept[22]
end
settle(id)
place(id, run, ARGV[3], keep, keepFailed)
counted()
trim(tonumber(ARGV[8]), tonumber(ARGV[9]), 20)
return 'kept'
