import { liveRun } from '@escapement/testing'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { member, settled, startServer, undo } from './open-fleet.ts'
import { until } from './open-nodes.ts'
import { KeptProxy } from './proxy.ts'
import type { RedisServer } from './redis-server.ts'

/** `start|token|fence|state` of all that was claimed. */
async function records(server: RedisServer): Promise<string[]> {
  const redis = new Redis(server.port)
  const keys = await redis.keys('*:[tm]:*')
  const found = await redis.mget(keys)
  redis.disconnect()
  return found.map((text) => String(text))
}

test('ends that meet a pause of Redis and lose their connection during a stop are written', async () => {
  const server = await startServer()
  const proxy = await KeptProxy.start(server.port)
  undo.push(() => proxy.stop())
  const { scheduler, words } = member({ guard: false, clients: [`redis://127.0.0.1:${proxy.port}`] })
  const jobs = ['a', 'b', 'c']
  let go = () => {}
  const open = new Promise<void>((resolve) => {
    go = resolve
  })
  for (const job of jobs) scheduler.job(job, '0 0 1 1 *', () => open)
  await scheduler.start()
  const runs = await Promise.all(jobs.map((job) => liveRun(scheduler, job)))
  await until('all run', () => runs.every((run) => run.state === 'running'))
  server.hang()
  const { connections } = proxy
  proxy.kill()
  const stopped = scheduler.stop()
  go()
  await until('it has connected again', () => proxy.connections > connections)
  server.resume()
  await stopped
  expect((await records(server)).map((record) => record.split('|')[3])).toEqual(['done', 'done', 'done'])
  expect(words).toEqual([])
})

test('ends that cannot be written until the deadline of a stop are named in one line', async () => {
  const server = await startServer()
  const { scheduler, lines } = member(
    { guard: false, clients: [server.url] },
    { drain: { grace: 200, abort: 200 } },
  )
  for (const job of ['a', 'b']) scheduler.job(job, '* * * * * *', () => {})
  const ran = settled([scheduler], 2, ({ attempt }) => attempt > 0)
  scheduler.on('running', () => server.hang())
  await scheduler.start()
  await ran
  // Redis hangs for good: only the deadline ends this.
  await scheduler.stop()
  const told = lines.filter(({ text }) => text.includes('could be told what became of'))
  expect(told).toHaveLength(1)
  expect(told[0]?.text).toMatch(/[ab]@\d{4}-/)
})
