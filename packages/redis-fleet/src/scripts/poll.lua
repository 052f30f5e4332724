-- Whether there is news, and the commands that wait for an answer.
--
-- KEYS[1] meta
-- ARGV[1] a name for what is kept from now on, if it has none
-- ARGV[2] how long commands are kept, in ms
-- Returns a text that changes with the pauses, then id, command, id, command…

redis.call('HSETNX', KEYS[1], 'name', ARGV[1])
local answer = { redis.call('HGET', KEYS[1], 'name') .. ':' .. (redis.call('HGET', KEYS[1], 'news') or '0') }
local commands = redis.call('HGETALL', P .. 'commands')
for i = 1, #commands, 2 do
  local at, body = string.match(commands[i + 1], '^(%d+)|(.*)$')
  if tonumber(at) < now - tonumber(ARGV[2]) then
    redis.call('HDEL', P .. 'commands', commands[i])
  else
    answer[#answer + 1] = commands[i]
    answer[#answer + 1] = body
  end
end
return answer
