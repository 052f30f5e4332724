import { setTimeout as sleep } from 'node:timers/promises'
import type { Run } from '@escapement/core'
import { liveRun } from '@escapement/testing'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { type Member, member, scanned, startServer, undo } from './open-fleet.ts'
import { until } from './open-nodes.ts'
import { KeptProxy } from './proxy.ts'
import type { RedisServer } from './redis-server.ts'

const NEVER = '0 0 1 1 *'

function connect(server: RedisServer): Redis {
  const redis = new Redis(server.port)
  undo.push(() => redis.disconnect())
  return redis
}

/** Runs of an instance that died, as it left them: their leases are over. */
async function orphan(redis: Redis, job: string, count: number, from: number, manual = false): Promise<void> {
  const fence = from * 1000
  const batch = redis.pipeline()
  for (let i = 0; i < count; i++) {
    const id = manual ? `0198c7a0-0000-7000-8000-${String(i).padStart(12, '0')}` : from - i
    const kind = manual ? 'm' : 't'
    batch.set(`{escapement:0}:${job}:${kind}:${id}`, `1|gone/1.${i}|${fence}|run`, 'PX', 900_000)
    batch.zadd('{escapement:0}:open', from - 1000 - (manual ? 0 : i), `${kind}|${id}|${job}`)
  }
  await batch.exec()
}

const lost = (of: Member, job: string) => of.words.filter((word) => word.startsWith(`tick-lost ${job}`))

test('orphans of jobs that nobody has hide no other run', async () => {
  const server = await startServer()
  const redis = connect(server)
  await orphan(redis, 'nobody', 2500, Date.now() - 20_000)
  await orphan(redis, 'mine', 1, Date.now() - 5000)
  const { scheduler, words } = member({ clients: [server.url], guard: false })
  scheduler.job('mine', NEVER, () => {})
  await scheduler.start()
  await until('it is reported', () => words.some((word) => word.startsWith('tick-lost mine@')))
})

test('runs that were asked for, of jobs that are gone, are closed when they are old', async () => {
  const server = await startServer()
  const redis = connect(server)
  const old = Date.now() - 15 * 60_000
  await orphan(redis, 'removed', 3, old, true)
  // Nothing is noted of these any more.
  await redis.zadd('{escapement:0}:open', String(old), 'm|0198c7a0-0000-7000-8000-00000000000a|removed')
  await orphan(redis, 'young', 1, Date.now() - 10_000, true)
  const one = member({ clients: [server.url], guard: false })
  await one.scheduler.start()
  await until('they are closed', async () => (await redis.zcard('{escapement:0}:open')) === 1)
  expect(await redis.zrange('{escapement:0}:open', '0', '-1')).toEqual([
    'm|0198c7a0-0000-7000-8000-000000000000|young',
  ])
})

test('what is lost is reported before what is run again, which may end the process', async () => {
  const server = await startServer()
  const redis = connect(server)
  await orphan(redis, 'poison', 3, Date.now() - 3000)
  await orphan(redis, 'other', 3, Date.now() - 3000)
  const one = member({ clients: [server.url], guard: false })
  let told = -1
  const poison = () => {
    if (told < 0) told = lost(one, 'other').length
  }
  one.scheduler.job('poison', NEVER, { onAbandoned: 'rerun' }, poison)
  one.scheduler.job('other', NEVER, () => {})
  await one.scheduler.start()
  await until('it runs again', () => told >= 0)
  expect(told).toBe(3)
})

/** Nothing is open any more, and each instance has heard from Redis since: what had to be told of it was reported. */
async function nothingOpen(server: RedisServer, fleet: readonly Member[]): Promise<void> {
  const redis = connect(server)
  await until('nothing is open', async () => (await redis.zcard('{escapement:0}:open')) === 0)
  await scanned(server, fleet.length)
}

/** A run that lasts until it is let go. */
function gate(): { handler: (run: Run) => Promise<void>; open: () => void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { handler: () => opened, open }
}

test('after an outage, living instances write their own ends: nobody else takes their runs', async () => {
  const server = await startServer()
  const fleet = [0, 1, 2].map(() => member({ clients: [server.url], guard: false, lease: 1000, scan: 200 }))
  const jobs = Array.from({ length: 30 }, (_, i) => `job-${i}`)
  const { handler, open } = gate()
  for (const { scheduler } of fleet) for (const job of jobs) scheduler.job(job, NEVER, handler)
  await Promise.all(fleet.map(({ scheduler }) => scheduler.start()))
  // Time is the subject: the others have been there for longer than a lease and a scan.
  await sleep(2500)
  const runs = await Promise.all(jobs.map((job) => liveRun((fleet[0] as Member).scheduler, job)))
  await until('all run', () => runs.every(({ state }) => state === 'running'))
  server.hang()
  open()
  await until('all have ended', () => runs.every(({ outcome }) => outcome))
  // Time is the subject: all leases run out meanwhile.
  await sleep(2500)
  server.resume()
  await nothingOpen(server, fleet)
  expect(fleet.flatMap(({ words }) => words)).toEqual([])
})

test('an instance that is slow to come back writes its own ends', async () => {
  const server = await startServer()
  const proxy = await KeptProxy.start(server.port)
  undo.push(() => proxy.stop())
  const one = member({ clients: [`redis://127.0.0.1:${proxy.port}`], guard: false, lease: '2s', scan: 500 })
  const two = member({ clients: [server.url], guard: false, lease: '2s', scan: 500 })
  const { handler, open } = gate()
  for (const { scheduler } of [one, two]) scheduler.job('a', NEVER, handler)
  await Promise.all([one.scheduler.start(), two.scheduler.start()])
  // Time is the subject, as above.
  await sleep(2500)
  const run = await liveRun(one.scheduler, 'a')
  await until('it runs', () => run.state === 'running')
  server.hang()
  // Its connection is dead: it takes some time to find out.
  proxy.kill()
  open()
  await until('it has ended', () => run.outcome)
  // Time is the subject: the lease runs out meanwhile.
  await sleep(2500)
  server.resume()
  await nothingOpen(server, [one, two])
  expect([...one.words, ...two.words]).toEqual([])
})

test('a claim whose answer was lost is no lost tick', async () => {
  const server = await startServer()
  const proxy = await KeptProxy.start(server.port)
  undo.push(() => proxy.stop())
  // Longer than it takes to connect again, also on a machine that is busy.
  const options = { guard: false, lease: '10s', scan: '1s' } as const
  const one = member({ ...options, clients: [`redis://127.0.0.1:${proxy.port}`] })
  const two = member({ ...options, clients: [server.url] })
  for (const { scheduler } of [one, two]) scheduler.job('a', NEVER, () => {})
  await Promise.all([one.scheduler.start(), two.scheduler.start()])
  await scanned(server, 2)
  let refused = 0
  one.scheduler.on('claim-unavailable', () => void refused++)
  proxy.mute()
  const asked = one.scheduler.run('a', undefined, { wait: true }).catch((error: Error) => error)
  // Its connection is made anew meanwhile. What was claimed is taken back as soon as there is one that answers.
  await until('it has given up', () => refused > 0)
  proxy.unmute()
  await asked
  await nothingOpen(server, [one, two])
  expect([...one.words, ...two.words]).toEqual([])
})
