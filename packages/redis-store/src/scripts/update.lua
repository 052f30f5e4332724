-- What a handler has said, of a run that has not ended.
--
-- KEYS[1] meta
-- ARGV[1] id
-- ARGV[2] attempt
-- ARGV[3] errors
-- ARGV[4] facts
-- ARGV[5] lines

local run = load(ARGV[1])
if not run or run[7] ~= '' then return 0 end
if ARGV[2] ~= '' then run[8] = ARGV[2] end
if ARGV[3] ~= '' then run[16] = ARGV[3] end
if ARGV[4] ~= '' then run[20] = ARGV[4] end
save(ARGV[1], run, ARGV[5])
return 1
