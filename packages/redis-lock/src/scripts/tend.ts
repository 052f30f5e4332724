import { PRELUDE, type Script, script } from './script.ts'

/**
 * Looks after a shard. Registers an instance, notices a Redis that is not the one we knew, and lists the open
 * runs: those whose lease is over, and the others, each up to a limit.
 *
 * born: a Redis with another run_id than the one noted may have forgotten what it had acknowledged, up to now.
 * If nothing is noted, it is either new or came up empty: then what was acknowledged before its start is gone,
 * or, if the caller has known it (`known`), it was flushed: up to now.
 *
 * stepped: the clock of Redis was set forward (1): what it gave a time to live may be gone. Or back (-1), as is also
 * seen by a birth in the future: leases that were given before would last for too long. Those that are alive are
 * renewed before others are given, the rest is cut.
 *
 * ahead: the fleet's time minus that of this Redis, from the caller that saw the clock set, or writes the birth anew.
 *
 * server, heard: which server the caller asked before, and how long ago, in ms. If this one is older, it has not heard what
 * that one acknowledged.
 *
 * head, jobs: what instances tell of themselves, see roster.ts. First the caller's own, then those of others, of whose jobs
 * the caller knows the \`digest\`: the same jobs are not sent again.
 *
 * KEYS born open instances (head jobs)…
 * ARGV instance (or '') ttl known stepped limit lease ahead server heard head jobs digest…
 * → now, identity, born, instances that are alive, open runs with their scores, twice, ahead, (head jobs)…; or only: now,
 *   'anonymous' where INFO is forbidden and the script has no mark, 'unknown' where a mark tells nothing either
 */
export const TEND: Script = script(`${PRELUDE}
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
`)

/** More runs whose lease is over, with their scores. KEYS open; ARGV offset limit */
export const PAGE: Script = script(`${PRELUDE}
return { now, unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', ARGV[1], ARGV[2])) }
`)

/** Forgets an instance. KEYS instances head jobs; ARGV instance */
export const LEAVE: Script = script(`${PRELUDE}
redis.call('DEL', KEYS[2], KEYS[3])
return { now, redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and 'left' or 'unknown' }
`)

/** What an instance tells of itself; `jobs` is empty where they have the digest that was given. */
export interface Told {
  readonly head: string
  readonly jobs: string
}

/** What TEND tells of a shard. */
export interface Greeting {
  /** The fleet's time minus that of this Redis, in ms, where its clock was set and the fleet did not follow. */
  readonly ahead: number
  /** Another one when the server was restarted, or another one answers instead. */
  readonly id: string
  /** By the clock of this Redis, in ms. */
  readonly now: number
  /** What it was told before this moment, it may have forgotten. */
  readonly born: number
  readonly instances: string[]
  /** What the instances that were asked about tell of themselves. */
  readonly told: ReadonlyMap<string, Told>
  /** Runs whose lease is over, at most so many as are listed. */
  readonly stale: readonly Open[]
  /** The others. */
  readonly running: readonly Open[]
}

/** An open run. */
export interface Open {
  readonly member: string
  /** When its lease is over, by the clock of Redis in ms; below 0: when it was given up. */
  readonly score: number
}

/** Reads `member, score, member, score…`. */
export function opens(listed: readonly string[]): Open[] {
  return listed.flatMap((member, i) => (i % 2 === 0 ? [{ member, score: Number(listed[i + 1]) }] : []))
}

/** Whether it is from before the birth of Redis: see `restored` in the scripts. */
export function isRestored({ score }: Open, born: number, lease: number): boolean {
  return score !== 0 && Math.abs(score) < born + lease
}

/** @param asked The instances that were asked about. */
export function greeting(reply: unknown[], asked: readonly string[]): Greeting {
  const [time, id, born, instances, stale, running, ahead, told] = reply
  const texts = (told ?? []) as string[]
  return {
    ahead: Number(ahead),
    id: String(id),
    now: Number(time),
    born: Number(born),
    instances: instances as string[],
    told: new Map(asked.map((of, i) => [of, { head: texts[2 * i] ?? '', jobs: texts[2 * i + 1] ?? '' }])),
    stale: opens(stale as string[]),
    running: opens(running as string[]),
  }
}
