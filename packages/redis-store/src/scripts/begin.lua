-- A run begins: kept as running. What an instance had begun of the same tick under a lower fence is abandoned.
--
-- KEYS[1] meta
-- ARGV[1] id
-- ARGV[2] the run
-- ARGV[3] how many runs of a job are kept at least
-- ARGV[4] how many failures of a job are kept
-- ARGV[5] now, in ms
-- ARGV[6] the hour, of the counters

local id, run = ARGV[1], cjson.decode(ARGV[2])
local kept = load(id)
if kept and kept[7] == '' and kept[8] == '0' and kept[19] == run[19] then kept[1] = 'claimed' end
if kept and kept[1] ~= 'due' and kept[1] ~= 'claimed' then return 0 end
if kept then
  run[22] = kept[22]
  if run[20] == '' then run[20] = kept[20] end
end
settle(id)
for other, before in pairs(others(id, run[5])) do
  local lower = before[6] ~= '' and run[6] ~= '' and tonumber(before[6]) < tonumber(run[6])
  if before[7] == '' and lower then
    before[1], before[7] = 'abandoned', ARGV[5]
    place(other, before, nil, tonumber(ARGV[3]), tonumber(ARGV[4]))
    count(before[4], ARGV[6], { 'abandoned' })
  end
end
place(id, run, nil, tonumber(ARGV[3]), tonumber(ARGV[4]))
return 1
