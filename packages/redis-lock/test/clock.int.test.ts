import { createScheduler, type Run, type Scheduler } from '@escapement/core'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { QuorumClaims } from '../src/claim/quorum-claims.ts'
import { redisLock } from '../src/index.ts'
import { Keys } from '../src/keys.ts'
import type { Node } from '../src/nodes/node.ts'
import { parseOptions } from '../src/options.ts'
import { openNodes, until } from './open-nodes.ts'
import { RedisServer } from './redis-server.ts'
import { ShiftedClock } from './shifted.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn()
})

const LEASE = 1000
const options = { lease: LEASE, scan: 200, timeout: 200 }

async function redis() {
  const server = await RedisServer.start()
  undo.push(() => server.stop())
  const clock = new ShiftedClock()
  const client = () => {
    const made = new Redis(server.port)
    undo.push(() => made.disconnect())
    return clock.client(made)
  }
  return { clock, client }
}

/** Somebody who claims leases, and how long that takes. */
async function voter() {
  const { clock, client } = await redis()
  const settings = parseOptions({ clients: [client()], ...options })
  const keys = new Keys('clock', 1)
  const nodes = await openNodes(settings, keys)
  undo.push(() => nodes.close())
  const node = nodes.all[0] as Node
  const quorumClaims = new QuorumClaims(nodes, keys, settings, () => ({
    monotonic: performance.now(),
    wall: Date.now(),
  }))
  let tokens = 0
  const vote = (job: string) =>
    quorumClaims.decide({
      subject: keys.tick(job, Math.floor(node.time.now() + node.ahead(0))),
      token: `voter/1.${tokens++}`,
      start: 1,
      leased: true,
      state: 'run',
    })
  /** Until the job's next tick is given, in ms. */
  const granted = async (job: string) => {
    const began = performance.now()
    await until(`${job} is given`, async () => (await vote(job)).kind === 'granted')
    return performance.now() - began
  }
  return { clock, nodes, node, granted }
}

test.each([-3_600_000, -60_000, -8000, 8000, 60_000, 3_600_000])(
  'a clock of Redis that is set by %d ms keeps leases back for a few leases at most',
  async (by) => {
    const { clock, granted } = await voter()
    await granted('before')
    clock.by = by
    expect(await granted('after')).toBeLessThan(3 * LEASE)
    // A lease whose holder is not heard of any more.
    expect(await granted('before')).toBeLessThan(4 * LEASE)
    clock.by = 0
    expect(await granted('right again')).toBeLessThan(3 * LEASE)
  },
)

test('a run that was abandoned before the clock was set back is found', async () => {
  const { clock, node, granted } = await voter()
  await granted('before')
  clock.by = -600_000
  await granted('after')
  const open = new Keys('clock', 1).open(0)
  const client = new Redis((node.client.options as { port: number }).port)
  undo.push(() => client.disconnect())
  const [, score] = (await client.zrange(open, '0', '0', 'WITHSCORES')) as [string, string]
  expect(Number(score)).toBeLessThan(Date.now() - 600_000 + 2 * LEASE)
})

/** The instant of a tick, by its key. */
const timeOf = (key = '') => Date.parse(key.slice('a@'.length, 'a@2026-01-01T00:00:00.000Z'.length))

async function fleet(by = 0) {
  const { clock, client } = await redis()
  clock.by = by
  const lines: string[] = []
  const write = (_: object, message: string) => void lines.push(message)
  const keys: string[] = []
  const another = async (): Promise<Scheduler> => {
    const lock = redisLock({ clients: [client()], ...options, guard: false })
    const logger = { debug() {}, info() {}, warn: write, error: write }
    const one = createScheduler({ logger, plugins: [lock] })
    undo.push(() => one.stop({ grace: 0 }))
    one.job('a', '* * * * * *', (run: Run) => void keys.push(run.key))
    await one.start()
    return one
  }
  const one = await another()
  await until('some runs', () => keys.length > 2)
  return { one, another, clock, keys, lines }
}

test.each([3_600_000, 30_000, -30_000, -3_600_000])(
  'a clock of Redis that is set by %d ms, for a moment or for good, changes nothing for jobs',
  async (by) => {
    const { clock, keys, another } = await fleet()
    const goesOn = async () => {
      const before = keys.length
      await until('runs go on', () => keys.length > before + 2)
      for (const key of keys) expect(Math.abs(timeOf(key) - Date.now())).toBeLessThan(30_000)
      expect(new Set(keys).size).toBe(keys.length)
      // None is left out but what fell into the lease after the step.
      expect(timeOf(keys.at(-1)) - timeOf(keys.at(-3))).toBe(2000)
    }
    clock.by = by
    await goesOn()
    // One that comes later learns the fleet's time.
    await another()
    await goesOn()
    clock.by = 0
    await goesOn()
  },
)

test('a clock of Redis that is set right is followed', async () => {
  const { clock, keys } = await fleet(3_600_000)
  expect(timeOf(keys[0])).toBeGreaterThan(Date.now() + 3_500_000)
  clock.by = 0
  await until('runs by the right time', () => timeOf(keys.at(-1)) < Date.now() + 60_000)
})

test('a clock that is days off at the start is not followed, and health says so', async () => {
  const { clock, client } = await redis()
  clock.by = 3 * 86_400_000
  const lock = redisLock({ clients: [client()], ...options, guard: false })
  const one = createScheduler({ plugins: [lock], logger: { debug() {}, info() {}, warn() {}, error() {} } })
  undo.push(() => one.stop({ grace: 0 }))
  const keys: string[] = []
  one.job('a', '* * * * * *', (run: Run) => void keys.push(run.key))
  await one.start()
  expect(one.health().degraded.join()).toContain('72 hours apart')
  expect(keys).toEqual([])
  clock.by = 0
  await until('it runs', () => keys.length > 1)
  expect(Math.abs(timeOf(keys.at(-1)) - Date.now())).toBeLessThan(60_000)
})
