import { setTimeout as sleep } from 'node:timers/promises'
import { createScheduler, type EventMap, type Run, type Scheduler } from '@escapement/core'
import { liveRun } from '@escapement/testing'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { describe, expect, test, vi } from 'vitest'
import { QuorumClaims } from '../src/claim/quorum-claims.ts'
import { type RedisLike, type RedisLockOptions, redisLock } from '../src/index.ts'
import { Node } from '../src/nodes/node.ts'
import { settled, undo } from './open-fleet.ts'
import { until } from './open-nodes.ts'
import { RedisServer } from './redis-server.ts'

async function servers(count: number): Promise<RedisServer[]> {
  const all = await Promise.all(Array.from({ length: count }, () => RedisServer.start()))
  for (const server of all) undo.push(() => server.stop())
  return all
}

const SAFE = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  commandTimeout: 500,
}
function client(
  server: RedisServer,
  make = (port: number): Redis | Redis5 => new Redis(port, SAFE),
): RedisLike {
  const made = make(server.port)
  undo.push(() => made.disconnect())
  return made
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
/** No guard: these servers are young, and would not give a lease for a while. */
const quick = { lease: 1000, scan: 200, guard: false }

function scheduler(options: RedisLockOptions, more: Parameters<typeof createScheduler>[0] = {}): Scheduler {
  const made = createScheduler({ logger: quiet, plugins: [redisLock({ ...quick, ...options })], ...more })
  undo.push(() => made.stop({ grace: 0 }))
  return made
}

function event<K extends keyof EventMap>(of: Scheduler, name: K): Promise<EventMap[K]> {
  return new Promise((resolve) => {
    of.on(name, (...args: EventMap[K]) => resolve(args))
  })
}

const keysOf = (runs: Run[]) => runs.map(({ key }) => key)
const started = (run: Run) => run.attempt > 0

describe.each([1, 3])('%d Redis', (count) => {
  test('each tick runs once, with fences that rise', async () => {
    const nodes = await servers(count)
    const fleet = [0, 1, 2].map(() => scheduler({ clients: nodes.map(({ url }) => url) }))
    for (const each of fleet) {
      for (const job of ['a', 'b', 'c', 'd']) each.job(job, '* * * * * *', () => {})
    }
    const ran = settled(fleet, 12, started)
    await Promise.all(fleet.map((each) => each.start()))
    const runs = await ran
    expect(new Set(keysOf(runs)).size).toBe(12)
    for (const job of ['a', 'b', 'c', 'd']) {
      const fences = runs.filter((run) => run.job.name === job).map(({ fence }) => fence as number)
      expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b))
    }
  })

  test('the others say where a tick went', async () => {
    const nodes = await servers(count)
    const fleet = ['one', 'two'].map((instance) =>
      scheduler({ clients: nodes.map((node) => client(node)) }, { instance }),
    )
    for (const each of fleet) each.job('a', '* * * * * *', () => {})
    await Promise.all(fleet.map((each) => each.start()))
    const told = await Promise.race(fleet.map((each) => event(each, 'claimed-elsewhere')))
    expect(told[0].key).toMatch(/^a@/)
    expect(['one', 'two']).toContain(told[1].by)
    expect(told[1].by).not.toBe(told[0].instance)
  })
})

test.each([
  ['5', (port: number) => new Redis5(port, SAFE)],
  ['6', (port: number) => new Redis(port, SAFE)],
])('clients of ioredis %s', async (_, make) => {
  const [server] = await servers(1)
  const one = scheduler({ clients: [client(server as RedisServer, make)] })
  one.job('a', '* * * * * *', () => {})
  const [run] = await Promise.all([settled([one], 1, started), one.start()])
  expect(run[0]?.outcome).toBe('succeeded')
  expect(run[0]?.fence).toBeGreaterThan(1e15)
})

test('a Cluster', async () => {
  const server = await RedisServer.start(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'])
  undo.push(() => server.stop())
  const plain = new Redis(server.port)
  await plain.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383)
  await until('the cluster is up', async () =>
    String(await plain.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  )
  plain.disconnect()
  const cluster = new Cluster([{ host: '127.0.0.1', port: server.port }], { enableOfflineQueue: false })
  undo.push(() => cluster.disconnect())
  const fleet = [0, 1].map(() => scheduler({ clients: [cluster as RedisLike], guard: true }))
  for (const each of fleet) for (let i = 0; i < 5; i++) each.job(`job-${i}`, '* * * * * *', () => {})
  const ran = settled(fleet, 10, started)
  await Promise.all(fleet.map((each) => each.start()))
  const runs = await ran
  expect(new Set(keysOf(runs)).size).toBe(10)
})

test('a client with unsafe options is warned about, by their names', async () => {
  const [server] = await servers(1)
  const lines: string[] = []
  const plain = new Redis((server as RedisServer).port)
  undo.push(() => plain.disconnect())
  const logger = { ...quiet, warn: (_: object, message: string) => lines.push(message) }
  await scheduler({ clients: [plain] }, { logger }).start()
  expect(lines.join()).toContain('enableOfflineQueue: true (better: false)')
  expect(lines.join()).toContain('maxRetriesPerRequest: 20 (better: 0)')
})

test('Redis down: ticks end as claim-unavailable, and run again when it is back', async () => {
  const [server] = (await servers(1)) as [RedisServer]
  await server.kill()
  const one = scheduler({ clients: [server.url] })
  one.job('a', '* * * * * *', () => {})
  const skipped = settled([one], 1, ({ reason }) => reason === 'claim-unavailable')
  await one.start()
  const [run] = await skipped
  expect(run?.error).toMatchObject({ code: 'ERR_ESCAPEMENT_UNAVAILABLE' })
  const ran = settled([one], 1, started)
  await server.up()
  expect((await ran)[0]?.outcome).toBe('succeeded')
})

test('after Redis hung, a tick is soon asked for once again, not by the whole fleet', async () => {
  const [server] = (await servers(1)) as [RedisServer]
  const votes = vi.spyOn(QuorumClaims.prototype, 'decide')
  undo.push(() => votes.mockRestore())
  const fleet = Array.from({ length: 5 }, () => scheduler({ clients: [server.url], scan: 2000 }))
  const jobs = 100
  for (const each of fleet) {
    for (let i = 0; i < jobs; i++) each.job(`job-${i}`, '* * * * * *', () => {})
  }
  await Promise.all(fleet.map((each) => each.start()))
  // By then they know each other.
  await settled(fleet, 3 * jobs, started)
  server.hang()
  await settled(fleet, 1, ({ reason }) => reason === 'claim-unavailable')
  server.resume()
  await settled(fleet, jobs, started)
  await until('a tick is asked for once, not by all five', async () => {
    votes.mockClear()
    await settled(fleet, 2 * jobs, started)
    return votes.mock.calls.length < 5 * jobs
  })
})

test('a young Redis is not asked for leases it does not give yet', async () => {
  const [server] = (await servers(1)) as [RedisServer]
  const asked = vi.spyOn(Node.prototype, 'ask')
  undo.push(() => asked.mockRestore())
  const one = scheduler({ clients: [server.url], guard: true, lease: '3s', scan: '1s' })
  one.job('a', '* * * * * *', () => {})
  const [[refused]] = await Promise.all([settled([one], 1, () => true), one.start()])
  expect(refused?.reason).toBe('claim-unavailable')
  expect(asked).not.toHaveBeenCalled()
  const [run] = await settled([one], 1, started)
  expect(run?.outcome).toBe('succeeded')
})

test("Redis down with onLockUnavailable: 'run': ticks run unguarded", async () => {
  const [server] = (await servers(1)) as [RedisServer]
  await server.kill()
  const one = scheduler({ clients: [server.url], onLockUnavailable: 'run' })
  one.job('a', '* * * * * *', () => {})
  const [runs] = await Promise.all([settled([one], 1, started), one.start()])
  expect(runs[0]?.fence).toBeUndefined()
})

test("a young Redis that answers is not 'down': its no is final", async () => {
  const [server] = (await servers(1)) as [RedisServer]
  const one = scheduler({
    clients: [server.url],
    guard: true,
    lease: '1m',
    scan: '5s',
    onLockUnavailable: 'run',
  })
  one.job('a', '* * * * * *', () => {})
  const [runs] = await Promise.all([settled([one], 1, () => true), one.start()])
  expect(runs[0]?.reason).toBe('claim-unavailable')
  expect(String(runs[0]?.error)).toContain('Redis was restarted or replaced')
})

test('a majority is enough: one of three is killed, another hangs for a while', async () => {
  const nodes = (await servers(3)) as [RedisServer, RedisServer, RedisServer]
  const one = scheduler({ clients: nodes.map(({ url }) => url) })
  one.job('a', '* * * * * *', () => {})
  await one.start()
  await settled([one], 1, started)
  await nodes[0].kill()
  expect((await settled([one], 2, started)).map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded'])
  nodes[1].hang()
  await settled([one], 1, ({ reason }) => reason === 'claim-unavailable')
  nodes[1].resume()
  await settled([one], 1, started)
})

/** A run whose instance loses Redis for good, as one that died: it is never heard of again. */
async function abandoned(onAbandoned: 'rerun' | 'record') {
  const [server] = (await servers(1)) as [RedisServer]
  const dying = client(server) as Redis
  const [one, two] = [
    scheduler({ clients: [dying], onAbandoned }),
    scheduler({ clients: [server.url], onAbandoned }),
  ]
  const hang = (run: Run) =>
    new Promise<void>((_, reject) => {
      run.signal.addEventListener('abort', () => reject(run.signal.reason))
    })
  const first = one.job('a', '0 0 1 1 *', { missed: 'all' }, hang)
  two.job('a', '0 0 1 1 *', () => {})
  await Promise.all([one.start(), two.start()])
  return { one, two, first, dying }
}

test('an abort comes before the lease ends, and what was lost is reported', async () => {
  const { one, two, first, dying } = await abandoned('record')
  const lost = event(two, 'tick-lost')
  const run = await liveRun(one, first.name)
  const order: string[] = []
  one.on('lease-lost', () => order.push('aborted'))
  two.on('tick-lost', () => order.push('told'))
  dying.disconnect()
  expect((await lost)[0]).toMatchObject({ job: 'a', tick: run.key, starts: 1, by: one.instance })
  expect(order).toEqual(['aborted', 'told'])
})

test('exclusive: one at a time in the fleet, in whatever order', async () => {
  const nodes = await servers(3)
  const fleet = [0, 1, 2].map(() => scheduler({ clients: nodes.map(({ url }) => url) }))
  await Promise.all(fleet.map((each) => each.start()))
  let inside = 0
  let most = 0
  const enter = async () => {
    most = Math.max(most, ++inside)
    await sleep(10)
    inside--
    return 'done'
  }
  const all = fleet.flatMap((each) => [each.exclusive('invoice', enter), each.exclusive('invoice', enter)])
  expect(await Promise.all(all)).toEqual(Array(6).fill('done'))
  expect(most).toBe(1)
})

test('exclusive: the error is that of the function, and the next one enters', async () => {
  const [server] = (await servers(1)) as [RedisServer]
  const one = scheduler({ clients: [server.url] })
  await one.start()
  const own = new Error('mine')
  await expect(one.exclusive('a', () => Promise.reject(own))).rejects.toBe(own)
  expect(await one.exclusive('a', () => 'next')).toBe('next')
})

test('exclusive: held for longer than the lease, and lost when Redis is gone', async () => {
  const [server] = (await servers(1)) as [RedisServer]
  const one = scheduler({ clients: [server.url] })
  await one.start()
  await one.exclusive('a', async (signal) => {
    // Time is the subject: one and a half leases.
    await sleep(1500)
    expect(signal.aborted).toBe(false)
    await server.kill()
    await until('the hold is lost', () => signal.aborted)
    expect(signal.reason).toMatchObject({ code: 'ERR_ESCAPEMENT_LEASE_LOST' })
  })
})

test('exclusive: who waits can give up', async () => {
  const [server] = (await servers(1)) as [RedisServer]
  const [one, two] = [scheduler({ clients: [server.url] }), scheduler({ clients: [server.url] })]
  await Promise.all([one.start(), two.start()])
  let release = () => {}
  let held: Promise<void> | undefined
  await new Promise<void>((entered) => {
    held = one.exclusive('a', () => {
      entered()
      return new Promise<void>((resolve) => {
        release = resolve
      })
    })
  })
  const giveUp = new AbortController()
  const waiting = two.exclusive('a', () => 'never', giveUp.signal)
  giveUp.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  release()
  await held
})

test('a fast and a slow clock: nothing runs twice, and the schedule follows Redis', async () => {
  const [server] = (await servers(1)) as [RedisServer]
  const { systemClock } = await import('@escapement/core')
  const skewed = (by: number) => ({ ...systemClock, now: () => Date.now() + by })
  const fleet = [0, 3000, -3000].map((by) => scheduler({ clients: [server.url] }, { clock: skewed(by) }))
  const skews = fleet.slice(1).map((each) => event(each, 'clock-skew'))
  const late: number[] = []
  for (const each of fleet) {
    for (const job of ['a', 'b', 'c']) {
      each.job(job, '* * * * * *', (run) => void late.push(Date.now() - run.tick.scheduledAt.getTime()))
    }
  }
  const ran = settled(fleet, 9, started)
  await Promise.all(fleet.map((each) => each.start()))
  const runs = await ran
  expect(new Set(keysOf(runs)).size).toBe(9)
  // By their own clocks they would be three seconds early or late.
  for (const ms of late) {
    expect(ms).toBeGreaterThan(-900)
    expect(ms).toBeLessThan(2900)
  }
  const told = await Promise.all(skews)
  expect(told.map(([{ skew }]) => Math.round(skew / 1000))).toEqual([-3, 3])
})

test('it can be stopped and started again', async () => {
  const [server] = (await servers(1)) as [RedisServer]
  const one = scheduler({ clients: [server.url] })
  one.job('a', '* * * * * *', () => {})
  for (let i = 0; i < 2; i++) {
    const ran = settled([one], 1, started)
    await one.start()
    expect((await ran)[0]?.outcome).toBe('succeeded')
    await one.stop()
  }
})
