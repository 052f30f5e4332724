-- Takes a request out that will not run.
--
-- KEYS[1] meta
-- ARGV[1] id
-- ARGV[2] owner: which life of a process does it
-- Returns 1, or 0 when it does not wait any more

if not redis.call('ZSCORE', P .. 'due', ARGV[1]) then return 0 end
settle(ARGV[1])
local run = load(ARGV[1])
if run and run[1] == 'due' then
  run[1], run[19] = 'claimed', ARGV[2]
  save(ARGV[1], run)
end
return 1
