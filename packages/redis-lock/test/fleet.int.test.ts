import { fileURLToPath } from 'node:url'
import { createScheduler, manual } from '@escapement/core'
import { redisLock } from '@escapement/redis-lock'
import { fleetContract } from '@escapement/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operatedFleet, pauseAndKill, startAll } from '../../postgres/test/operators.ts'
import { until } from './open-nodes.ts'
import { RedisServer } from './redis-server.ts'

const QUIET = { debug() {}, info() {}, warn() {}, error() {} }
const servers: RedisServer[] = []
beforeAll(async () => {
  for (let i = 0; i < 3; i++) servers.push(await RedisServer.start())
})
afterAll(() => Promise.all(servers.map((server) => server.stop())))

const clientsOf = (count: number) => servers.slice(0, count).map(({ url }) => url)

describe.each([1, 3])('the fleet port of redis-lock on %d', (count) => {
  const cases = fleetContract({
    plugin: (name) =>
      redisLock({ clients: clientsOf(count), namespace: `${name}-${count}`, guard: false, scan: '300ms' }),
  })
  // Without a durable store no instance finds the run of another before it cancels it.
  for (const { name, run } of cases.filter(({ name }) => !name.includes('cancelled'))) test(name, run)

  test('a run is cancelled on the instance that holds it', async () => {
    const [a, b] = await Promise.all([instance('cancel', count, 'a'), instance('cancel', count, 'b')])
    const run = await b.run('job')
    await a.cancel(run.id, { by: 'ann', reason: 'wrong month' })
    expect((await run.settled).error?.message).toBe('cancelled by ann: wrong month')
    await expect(a.cancel('none')).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_RUN_UNKNOWN' })
    await Promise.all([a.stop(), b.stop()])
  })

  test('a pause holds on all within a second, also when the one that made it is killed', async () => {
    const plugin = fileURLToPath(new URL('./plugin.mjs', import.meta.url))
    const fleet = operatedFleet(plugin, { clients: clientsOf(count), namespace: `operated-${count}` })
    try {
      await startAll(fleet)
      await pauseAndKill(fleet)
    } finally {
      await fleet.kill()
    }
  })
})

async function instance(place: string, count: number, name: string) {
  const lock = redisLock({ clients: clientsOf(count), namespace: `${place}-${count}`, guard: false })
  const scheduler = createScheduler({
    plugins: [lock],
    instance: `${place}-${name}`,
    logger: QUIET,
    drain: { grace: 100, abort: 100 },
  })
  scheduler.job('job', manual(), ({ signal }) => {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  await scheduler.start()
  return scheduler
}

test('a pause outlives a Redis that was emptied, as long as an instance lives', async () => {
  const [a, b] = await Promise.all([instance('emptied', 1, 'a'), instance('emptied', 1, 'b')])
  await a.pause('job', { by: 'ann' })
  await until('the pause is in force', () => b.get('job').paused)
  const admin = new Redis((servers[0] as RedisServer).url)
  await admin.flushall()
  await until('it is kept again', () => admin.hget('{emptied-1:fleet}:pauses', 'job'))
  expect(b.get('job').paused).toEqual({ by: 'ann' })
  admin.disconnect()
  await Promise.all([a.stop(), b.stop()])
})

test('a majority of masters keeps a pause while one hangs, and the one learns of it', async () => {
  const [a, b] = await Promise.all([instance('majority', 3, 'a'), instance('majority', 3, 'b')])
  const [first] = servers as [RedisServer]
  first.hang()
  try {
    await a.pause(undefined, { by: 'ann' })
    await until('the pause is in force', () => b.paused)
  } finally {
    first.resume()
  }
  const admin = new Redis(first.url)
  await until('the one has it', () => admin.hget('{majority-3:fleet}:pauses', ''))
  admin.disconnect()
  await Promise.all([a.stop(), b.stop()])
})
