import { createScheduler, type Run, type Scheduler } from '@escapement/core'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { Ballot } from '../src/ballot.ts'
import { redisLock } from '../src/index.ts'
import { Keys } from '../src/keys.ts'
import type { Node } from '../src/node.ts'
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
  const ballot = new Ballot(nodes, keys, settings, () => ({ monotonic: performance.now(), wall: Date.now() }))
  let tokens = 0
  const vote = (job: string) =>
    ballot.vote({
      subject: keys.tick(job, Math.floor(node.time.now())),
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

async function fleet() {
  const { clock, client } = await redis()
  const lines: string[] = []
  const write = (_: object, message: string) => void lines.push(message)
  const lock = redisLock({ clients: [client()], ...options, guard: false })
  const one: Scheduler = createScheduler({
    logger: { debug() {}, info() {}, warn: write, error: write },
    plugins: [lock],
  })
  undo.push(() => one.stop({ grace: 0 }))
  const keys: string[] = []
  one.job('a', '* * * * * *', (run: Run) => void keys.push(run.key))
  await one.start()
  await until('some runs', () => keys.length > 2)
  return { one, clock, keys, lines }
}

test('a clock that is wrong for a moment is not followed', async () => {
  const { clock, keys } = await fleet()
  clock.by = 3_600_000
  await new Promise((resolve) => setTimeout(resolve, 2000))
  clock.by = 0
  const before = keys.length
  await until('runs go on', () => keys.length > before + 2)
  for (const key of keys) expect(Math.abs(Date.parse(key.slice(2)) - Date.now())).toBeLessThan(60_000)
  expect(new Set(keys).size).toBe(keys.length)
})

test('a clock that stays set is followed', async () => {
  const { clock, keys } = await fleet()
  clock.by = 3_600_000
  await until('runs by the new time', () => Date.parse(keys.at(-1)?.slice(2) ?? '') > Date.now() + 3_500_000)
  expect(new Set(keys).size).toBe(keys.length)
})

test('a clock that is days off is not followed, and health says so', async () => {
  const { one, clock, keys } = await fleet()
  clock.by = 3 * 86_400_000
  await until('health says so', () => one.health().degraded.join().includes('72 hours apart'))
  clock.by = 0
  const before = keys.length
  await until('runs go on', () => keys.length > before + 1)
  expect(Math.abs(Date.parse(keys.at(-1)?.slice(2) ?? '') - Date.now())).toBeLessThan(60_000)
})
