-- Looks after a shard. Registers an instance, notices a Redis that is not the one the caller knew, and lists the open runs:
-- those whose lease is over, and the others, each up to a limit.
--
-- born: a Redis with another run_id than the one noted may have forgotten what it had acknowledged, up to now. If nothing is
-- noted, it is either new or came up empty: then what was acknowledged before its start is gone, or, if the caller has known it
-- (`known`), it was flushed: up to now.
--
-- KEYS[1] born
-- KEYS[2] open
-- KEYS[3] instances
-- KEYS[4] KEYS[5] head and jobs of the caller
-- KEYS[6…] head and jobs of other instances
-- ARGV[1] instance, or ''
-- ARGV[2] ttl of an instance, in ms
-- ARGV[3] known: 1 if the caller knew this Redis
-- ARGV[4] stepped: 1 if the clock of Redis was set forward: what it gave a time to live may be gone. -1 if it was set back, as
--   is also seen by a birth in the future: leases that were given before would last for too long. Those that are alive are
--   renewed before others are given, the rest is cut.
-- ARGV[5] limit of each list
-- ARGV[6] lease, in ms
-- ARGV[7] ahead: the fleet's time minus that of this Redis, from the caller that saw the clock set, or writes the birth again
-- ARGV[8] ARGV[9] server, heard: which server the caller asked before, and how long ago, in ms. If this one is older, it has
--   not heard what that one acknowledged.
-- ARGV[10] ARGV[11] head and jobs: what the caller says of itself, see roster.ts
-- ARGV[12…] the digests of the jobs of the other instances, as far as the caller knows them: the same jobs are not sent again
-- Returns now, identity, born, instances that are alive, open runs with their scores (two lists), ahead, then head and jobs of
--   each other instance. Or only: now, 'anonymous' where INFO is forbidden and the script has no mark, or 'unknown' where a
--   mark says nothing either.

local id, info = identity()
if not id then return { now, redis.REDIS_VERSION_NUM and 'anonymous' or 'unknown' } end
local noted = redis.call('GET', KEYS[1])
local since = now
local before, _, shift = born(KEYS[1])
local ahead = ARGV[7] and ARGV[7] ~= '0' and 's' .. ARGV[7] or ''
local elsewhere = before and ARGV[8] and ARGV[8] ~= '' and ARGV[8] ~= id and before < now - tonumber(ARGV[9])
if before and before <= now and ARGV[4] == '0' and not elsewhere then
  since = before
elseif before and not elsewhere and (before > now or ARGV[4] == '-1') then
  redis.call('SET', KEYS[1], id .. '|' .. digits(now) .. '|b' .. ahead)
  shift = tonumber(ARGV[7])
  local lease = tonumber(ARGV[6])
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], now + 3 * lease, '+inf')) do
    redis.call('ZADD', KEYS[2], now + lease, member)
  end
else
  if info and not noted and ARGV[3] ~= '1' then
    since = math.min(now, now - tonumber(string.match(info, 'uptime_in_seconds:(%d+)')) * 1000 + 1000)
  end
  redis.call('SET', KEYS[1], id .. '|' .. digits(since) .. (ahead ~= '' and '|' .. ahead or ''))
  shift = tonumber(ARGV[7] or 0)
end
if ARGV[1] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[2]))
  redis.call('ZADD', KEYS[3], now, ARGV[1])
  if KEYS[4] then
    redis.call('SET', KEYS[4], ARGV[10], 'PX', ARGV[2])
    redis.call('SET', KEYS[5], ARGV[11], 'PX', ARGV[2])
  end
end
local told = {}
for i = 1, (#KEYS - 5) / 2 do
  local head = redis.call('GET', KEYS[2 * i + 4]) or ''
  local same = head == '' or string.match(head, '([^|]*)$') == ARGV[11 + i]
  told[2 * i - 1] = head
  told[2 * i] = not same and redis.call('GET', KEYS[2 * i + 5]) or ''
end
return {
  now, id, since,
  redis.call('ZRANGE', KEYS[3], 0, -1),
  redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[5]),
  redis.call('ZRANGEBYSCORE', KEYS[2], digits(now + 1), '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[5]),
  shift,
  told
}
