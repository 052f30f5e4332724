import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ClaimTarget, Keys } from '../src/keys.ts'
import { BEAT, CLAIM, END, PAGE, type Script, TEND } from '../src/scripts/index.ts'
import { RedisServer } from './redis-server.ts'

let server: RedisServer
let redis: Redis
const keys = new Keys('test', 1)

beforeAll(async () => {
  server = await RedisServer.start()
  redis = new Redis(server.port)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})
beforeEach(() => redis.flushall())

const run = ({ source }: Script, ks: string[], args: (string | number)[]) =>
  redis.eval(source, ks.length, ...ks, ...args) as Promise<unknown[]>

/** As if Redis had been known for a minute. */
async function settle(ago = 60_000) {
  const [now, id] = await tend()
  await redis.set(keys.born(0), `${id}|${Number(now) - ago}`)
  return Number(now)
}

const tend = (args: (string | number)[] = ['', 5000, 0, 0, 100, LEASE]) =>
  run(TEND, [keys.born(0), keys.open(0), keys.instances(0)], args)

interface Given {
  mode?: string
  expires?: number
  token?: string
  start?: number
  leased?: number
  state?: string
  fence?: number | ''
  guard?: number
  accepted?: number
}
const LEASE = 1000
async function claim(subject: ClaimTarget, given: Given = {}) {
  const { mode = 'claim', expires = Infinity, token = 'a/1.0', start = 1, leased = 1, state = 'run' } = given
  const ks = [keys.born(0), keys.open(0), subject.key, keys.job(subject.job)]
  if (mode !== 'claim') ks.push(keys.prepared(subject.job))
  const head = [
    expires === Infinity ? 1e15 : expires,
    mode,
    given.guard ?? LEASE,
    LEASE,
    60_000,
    50,
    30_000,
    2000,
  ]
  const item = [
    subject.at ?? '',
    token,
    start,
    given.fence ?? '',
    leased,
    state,
    subject.member,
    given.accepted ?? 0,
  ]
  return (await run(CLAIM, ks, [...head, ...item]))[1] as string
}
const beat = async (subject: ClaimTarget, token: string, fence: string, start = 1) =>
  (
    await run(
      BEAT,
      [keys.born(0), keys.open(0), subject.key, keys.job(subject.job)],
      [1e15, LEASE, 60_000, token, `${start}|${token}|${fence}|run`, fence, 1, subject.member],
    )
  )[1]
const end = async (
  subject: ClaimTarget,
  what: string,
  token: string,
  fence: string | number = 1,
  start = 1,
  hold = 0,
) =>
  (
    await run(
      END,
      [keys.open(0), subject.key, keys.job(subject.job), keys.prepared(subject.job)],
      [60_000, 3, what, token, start, fence, subject.member, hold],
    )
  )[1]
const fenceOf = (answer: string) => answer.split('|')[2] as string
const stateOf = async (subject: ClaimTarget) => (await redis.get(subject.key))?.split('|')[3]
/** The last fence, the newest tick, who has the lease, until when. */
const jobOf = async (job: string) => ((await redis.get(keys.job(job))) ?? '0|0||0').split('|')
/** Lets the lease of a tick be over. */
async function expire(subject: ClaimTarget) {
  await redis.set(keys.job(subject.job), (await jobOf(subject.job)).with(3, '0').join('|'))
  await redis.zadd(keys.open(0), Date.now() - 1, subject.member)
}

test('a tick is given once, and its owner gets the same answer again', async () => {
  const tick = keys.tick('a', await settle())
  expect(await claim(tick)).toMatch(/^ok\|1\|\d{16}$/)
  expect(await claim(tick)).toMatch(/^ok\|1\|/)
  expect(await claim(tick, { token: 'b/1.0' })).toBe('taken|a/1.0')
  await end(tick, 'done', 'a/1.0')
  expect(await claim(tick, { token: 'b/1.0' })).toBe('taken|a/1.0')
})

test('a tick before its time, too late, or from before the birth of Redis is not given', async () => {
  const now = await settle(10_000)
  expect(await claim(keys.tick('a', now + 2000))).toMatch(/^wait\|19\d\d$/)
  expect(await claim(keys.tick('a', now - 31_000))).toBe('late')
  expect(await claim(keys.tick('a', now - 10_000))).toBe('abstain')
  expect(await claim(keys.tick('a', now - 10_000), { guard: 0 })).toMatch(/^ok/)
})

test('after a downtime, a late tick is given if nothing newer of its job was', async () => {
  const now = await settle(100 * 60_000)
  const ago = (minutes: number) => keys.tick('a', now - minutes * 60_000)
  expect(await claim(ago(90))).toBe('late')
  await redis.set(keys.job('a'), `5|${ago(80).at}||0`)
  expect(await claim(ago(80))).toBe('late')
  expect(await claim(ago(70))).toMatch(/^ok/)
  await end(ago(70), 'done', 'a/1.0')
  expect(await claim(ago(75), { token: 'b/1.0' })).toBe('late')
  expect(await claim(ago(60), { token: 'b/1.0' })).toMatch(/^ok/)
})

test('a command that comes too late does nothing', async () => {
  const now = await settle()
  const tick = keys.tick('a', now)
  expect(await claim(tick, { expires: now - 1 })).toBe('expired')
  expect(await redis.exists(tick.key)).toBe(0)
})

test('a job with a lease runs once at a time, another job beside it', async () => {
  const now = await settle()
  await claim(keys.tick('a', now))
  expect(await claim(keys.tick('a', now - 1000), { token: 'b/1.0' })).toBe('busy|a/1.0')
  expect(await claim(keys.tick('a', now - 1000), { token: 'b/1.0', leased: 0 })).toMatch(/^ok/)
  expect(await claim(keys.tick('b', now), { token: 'b/1.0' })).toMatch(/^ok/)
})

test('a young Redis gives ticks, but no lease before those it may have forgotten are over', async () => {
  const now = await settle(100)
  expect(await claim(keys.tick('a', now + 40))).toMatch(/^hold\|\d+$/)
  expect(await claim(keys.tick('a', now + 40), { leased: 0 })).toMatch(/^ok/)
})

test('fences rise, whatever is written, taken back or forgotten', async () => {
  const now = await settle()
  let last = 0
  for (let i = 0; i < 5; i++) {
    const tick = keys.tick('a', now - i * 1000)
    const fence = Number(fenceOf(await claim(tick, { token: `a/1.${i}` })))
    expect(fence).toBeGreaterThan(last)
    last = fence
    await end(tick, i % 2 ? 'done' : 'undo', `a/1.${i}`)
  }
  await redis.flushall()
  await settle()
  expect(Number(fenceOf(await claim(keys.tick('a', now), { token: 'b/1.0' })))).toBeGreaterThan(last)
  // A clock set back does not bring an old fence.
  await redis.set(keys.job('b'), '9000000000000000|0||0')
  expect(fenceOf(await claim(keys.tick('b', now)))).toBe('9000000000000001')
})

test('what is prepared is contended, neither taken nor busy, and commits once', async () => {
  const now = await settle()
  const tick = keys.tick('a', now)
  const fence = Number(fenceOf(await claim(tick, { mode: 'prepare' })))
  expect(await redis.exists(tick.key)).toBe(0)
  expect(await claim(tick, { mode: 'prepare', token: 'b/1.0' })).toBe('contended')
  expect(await claim(keys.tick('a', now - 1000), { mode: 'prepare', token: 'b/1.0' })).toBe('contended')
  expect(await claim(tick, { mode: 'commit', token: 'b/1.0' })).toBe('contended')
  expect(await claim(tick, { mode: 'commit', fence: fence + 5 })).toBe(`ok|1|${fence + 5}`)
  expect(await redis.get(keys.job('a'))).toBe(`${fence + 5}|${now}|a/1.0|${(await jobOf('a'))[3]}`)
  expect(await claim(tick, { mode: 'prepare', token: 'b/1.0' })).toBe('taken|a/1.0')
})

test('a vote that lost is taken back', async () => {
  const tick = keys.tick('a', await settle())
  await claim(tick, { mode: 'prepare' })
  await end(tick, 'undo', 'a/1.0')
  expect(await claim(tick, { mode: 'prepare', token: 'b/1.0' })).toMatch(/^ok/)
})

test('a lease is renewed while it lasts, and not after', async () => {
  const tick = keys.tick('a', await settle())
  const fence = fenceOf(await claim(tick))
  expect(await beat(tick, 'a/1.0', fence)).toBe('ok')
  await expire(tick)
  expect(await beat(tick, 'a/1.0', fence)).toBe('over')
})

test('what Redis has forgotten is written anew by a renewal', async () => {
  const tick = keys.tick('a', await settle())
  const fence = fenceOf(await claim(tick))
  await redis.flushall()
  expect(await beat(tick, 'a/1.0', fence)).toBe('unborn')
  await settle(0)
  expect(await beat(tick, 'a/1.0', fence)).toBe('ok')
  expect(await claim(tick, { token: 'b/1.0' })).toBe('taken|a/1.0')
  expect((await jobOf('a'))[2]).toBe('a/1.0')
})

test('only an abandoned run is started again, with a higher start and fence; the first is fenced', async () => {
  const tick = keys.tick('a', await settle())
  const first = fenceOf(await claim(tick))
  expect(await claim(tick, { token: 'b/1.0', start: 2 })).toMatch(/^alive\|\d+$/)
  await expire(tick)
  const second = await claim(tick, { token: 'b/1.0', start: 2 })
  expect(second).toMatch(/^ok\|2\|/)
  expect(Number(fenceOf(second))).toBeGreaterThan(Number(first))
  expect(await claim(tick, { token: 'c/1.0', start: 2 })).toBe('taken|b/1.0')
  expect(await beat(tick, 'a/1.0', first)).toBe('fenced|b/1.0')
  expect(await end(tick, 'done', 'a/1.0')).toBe('fenced|b/1.0')
  expect(await end(tick, 'done', 'b/1.0', fenceOf(second), 2)).toBe('ok')
  expect(await claim(tick, { token: 'c/1.0', start: 3 })).toBe('taken|b/1.0')
})

test('a run that aborted can be taken up at once, also if Redis forgot it', async () => {
  const tick = keys.tick('a', await settle())
  const fence = fenceOf(await claim(tick))
  await redis.flushall()
  await settle()
  expect(await end(tick, 'abandon', 'a/1.0', fence)).toBe('ok')
  const [member, score] = (await tend())[4] as string[]
  expect(member).toBe(tick.member)
  expect(Number(score)).toBeLessThan(0)
  // It may have been started again before that, by an instance of which Redis has forgotten as well.
  expect(await claim(tick, { token: 'b/1.0', start: 2 })).toMatch(/^unknown/)
  expect(await claim(tick, { token: 'b/1.0', start: 5, accepted: 1 })).toMatch(/^ok\|5/)
})

test('an abandoned run can be marked as lost, once', async () => {
  const tick = keys.tick('a', await settle())
  await claim(tick)
  await expire(tick)
  expect(await claim(tick, { token: 'b/1.0', start: 2, state: 'lost', leased: 0 })).toMatch(/^ok/)
  expect(await claim(tick, { token: 'c/1.0', start: 2, state: 'lost', leased: 0 })).toBe('taken|b/1.0')
  expect(await stateOf(tick)).toBe('lost')
  expect(await redis.zcard(keys.open(0))).toBe(0)
})

test('a rerun that never started leaves the tick to be recovered, as it was', async () => {
  const tick = keys.tick('a', await settle())
  await claim(tick)
  await expire(tick)
  const fence = fenceOf(await claim(tick, { token: 'b/1.0', start: 2 }))
  await end(tick, 'undo', 'b/1.0', fence, 2)
  expect(await redis.get(tick.key)).toMatch(/^1\|b\/1\.0\|\d+\|run$/)
  expect(await claim(tick, { token: 'c/1.0', start: 2 })).toMatch(/^ok\|2/)
})

test('the end of a run frees the lease, or keeps it for a while', async () => {
  const now = await settle()
  const tick = keys.tick('a', now)
  await claim(tick)
  await end(tick, 'done', 'a/1.0', 1, 1, 700)
  const left = Number((await jobOf('a'))[3]) - Number((await tend())[0])
  expect(left).toBeGreaterThan(600)
  expect(left).toBeLessThanOrEqual(700)
  expect(await end(tick, 'done', 'a/1.0')).toBe('ok')
  expect((await jobOf('a'))[3]).toBe('0')
})

test('a node that missed the end of a run learns of it', async () => {
  const tick = keys.tick('a', await settle())
  await claim(tick)
  await end(tick, 'clear', 'b/1.0', 9, 2)
  expect(await stateOf(tick)).toBe('done')
  expect((await jobOf('a'))[3]).toBe('0')
  expect(await redis.zcard(keys.open(0))).toBe(0)
})

test('birth: kept while the server is the same, now when it is another, was flushed, or its clock was set', async () => {
  const [now, id, since] = (await tend()) as [number, string, number]
  expect(since).toBeLessThanOrEqual(now)
  await redis.set(keys.born(0), `${id}|5`)
  expect((await tend())[2]).toBe(5)
  await redis.set(keys.born(0), 'another|5')
  expect((await tend())[2]).toBeGreaterThanOrEqual(now)
  await redis.set(keys.born(0), `${id}|5`)
  expect((await tend(['', 5000, 1, 1, 100]))[2]).toBeGreaterThanOrEqual(now)
  await redis.del(keys.born(0))
  expect((await tend(['', 5000, 1, 0, 100]))[2]).toBeGreaterThanOrEqual(now)
})

test('instances are known while they are heard of', async () => {
  await tend(['a', 5000, 0, 0, 100])
  expect((await tend(['b', 5000, 0, 0, 100]))[3]).toEqual(['a', 'b'])
  await redis.zadd(keys.instances(0), 5, 'a')
  expect((await tend(['b', 5000, 0, 0, 100]))[3]).toEqual(['b'])
})

/** A run that Redis knows from before it was born: its record is as old as a snapshot. */
async function remembered(subject: ClaimTarget, token = 'a/1.0') {
  const fence = fenceOf(await claim(subject, { token }))
  const now = await settle(LEASE + 100)
  await redis.zadd(keys.open(0), now - 200, subject.member)
  await redis.set(keys.job(subject.job), `${fence}|${subject.at}|${token}|${now - 200}`)
  return { now, fence }
}

test('what became of a run from before the birth of Redis is unknown: neither lost nor started as usual', async () => {
  const tick = keys.tick('a', await settle())
  await remembered(tick)
  expect(await claim(tick, { token: 'b/1.0', start: 2 })).toBe('unknown|0')
  expect(await claim(tick, { token: 'b/1.0', start: 2, state: 'lost', leased: 0 })).toBe('unknown|0')
  expect(await claim(tick, { token: 'b/1.0', start: 1 })).toBe('taken|a/1.0')
  expect(await claim(tick, { token: 'b/1.0', start: 2, mode: 'prepare' })).toBe('unknown|0')
  expect(await claim(tick, { token: 'b/1.0', start: 4, accepted: 1 })).toMatch(/^ok\|4\|/)
})

test('it may have been started again once for each lease between its record and the birth', async () => {
  const now = await settle()
  const tick = keys.tick('a', now)
  await redis.set(tick.key, `1|a/1.0|${(now - 10 * LEASE) * 1000}|run`)
  await redis.zadd(keys.open(0), now - 9 * LEASE, tick.member)
  await settle(2 * LEASE)
  expect(await claim(tick, { token: 'b/1.0', start: 2 })).toBe('unknown|8')
})

test('nothing is said of it while its instance can still be back', async () => {
  const tick = keys.tick('a', await settle())
  await claim(tick)
  const now = await settle(LEASE / 2)
  await redis.zadd(keys.open(0), now - 1, tick.member)
  expect(await claim(tick, { token: 'b/1.0', start: 2, accepted: 1 })).toMatch(/^hold\|\d+$/)
})

test('its instance, still at work, renews its lease, also over an older start or holder', async () => {
  const now = await settle()
  const tick = keys.tick('a', now)
  const { fence } = await remembered(tick)
  expect(await beat(tick, 'a/1.0', fence)).toBe('ok')
  expect(await claim(tick, { token: 'b/1.0', start: 2 })).toMatch(/^alive/)
  // The record, and the lease, are of the start before.
  const other = keys.tick('b', now)
  await remembered(other)
  const later = await settle(LEASE / 2)
  await redis.set(keys.job('b'), `1|${now}|z/1.0|${later + LEASE / 4}`)
  expect(await beat(other, 'c/1.0', '99', 2)).toBe('ok')
  expect(await redis.get(other.key)).toBe('2|c/1.0|99|run')
  expect(await beat(other, 'd/1.0', '98', 2)).toBe('fenced|c/1.0')
})

test('an end is written over an earlier start, not over a later one', async () => {
  const tick = keys.tick('a', await settle())
  const first = fenceOf(await claim(tick))
  expect(await end(tick, 'undo', 'b/1.0', 9, 2)).toBe('fenced|a/1.0')
  expect(await end(tick, 'done', 'b/1.0', 9, 2)).toBe('ok')
  expect(await redis.get(tick.key)).toBe('2|b/1.0|9|done')
  expect(await end(tick, 'done', 'a/1.0', first)).toBe('fenced|b/1.0')
  expect(await end(tick, 'clear', 'a/1.0', first)).toBe('fenced|b/1.0')
})

test('what an instance gives up is known, unless its lease was over, or forgotten, before that', async () => {
  const tick = keys.tick('a', await settle())
  await end(tick, 'abandon', 'a/1.0', fenceOf(await claim(tick, { leased: 0 })))
  expect(await claim(tick, { token: 'b/1.0', start: 2, leased: 0 })).toMatch(/^ok\|2\|/)
  const late = keys.tick('b', Date.now())
  const { fence } = await remembered(late)
  expect(await end(late, 'abandon', 'a/1.0', fence)).toBe('ok')
  expect(await claim(late, { token: 'b/1.0', start: 2 })).toBe('unknown|0')
})

test('runs whose lease is over and those under way are listed apart, and page by page', async () => {
  const now = await settle()
  await claim(keys.tick('a', now))
  for (let i = 0; i < 5; i++) await redis.zadd(keys.open(0), now - 10 + i, `t|${i}|old`)
  const [, , , , stale, running] = (await tend(['', 5000, 0, 0, 3])) as string[][]
  expect(stale).toEqual(['t|0|old', String(now - 10), 't|1|old', String(now - 9), 't|2|old', String(now - 8)])
  expect(running?.[0]).toBe(keys.tick('a', now).member)
  const page = (await run(PAGE, [keys.open(0)], [3, 3])).slice(1)
  expect(page).toEqual(['t|3|old', String(now - 7), 't|4|old', String(now - 6)])
})
