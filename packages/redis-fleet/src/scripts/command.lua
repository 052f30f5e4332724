-- Gives a command to the fleet, answers one, or reads the answers.
--
-- KEYS[1] meta
-- ARGV[1] 'send', 'answer', 'read', or 'end'
-- ARGV[2] id
-- ARGV[3] the command as JSON; or the instance that answers
-- ARGV[4] the answer
-- ARGV[5] how long answers are kept, in ms
-- Returns instance, answer, instance, answer…

local answers = P .. 'answers:' .. ARGV[2]
if ARGV[1] == 'send' then redis.call('HSET', P .. 'commands', ARGV[2], string.format('%.0f', now) .. '|' .. ARGV[3])
elseif ARGV[1] == 'answer' then
  redis.call('HSET', answers, ARGV[3], ARGV[4])
  redis.call('PEXPIRE', answers, ARGV[5])
elseif ARGV[1] == 'end' then redis.call('HDEL', P .. 'commands', ARGV[2]) end
return redis.call('HGETALL', answers)
