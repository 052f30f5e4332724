import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { member, startServer, undo } from './open-fleet.ts'
import { until } from './open-nodes.ts'

const NEVER = '0 0 1 1 *'

test('a job that one of three instances has is claimed at once, without a look for another claim', async () => {
  const server = await startServer()
  const redis = new Redis(server.port)
  undo.push(() => redis.disconnect())
  const monitor = await redis.monitor()
  undo.push(() => monitor.disconnect())
  const looked = new Set<string>()
  monitor.on('monitor', (_: string, [name = '', ...keys]: string[], source: string) => {
    // Scripts read with MGET too.
    if (source !== 'lua' && name.toLowerCase() === 'mget') for (const key of keys) looked.add(key)
  })
  const fleet = [0, 1, 2].map(() => member({ clients: [server.url], guard: false }))
  const jobs = Array.from({ length: 20 }, (_, i) => `mine-${i}`)
  const ran = new Map<number, number>()
  for (const name of jobs) fleet[0]?.scheduler.job(name, '* * * * * *', () => {})
  for (const { scheduler } of fleet) scheduler.job('ours', NEVER, () => {})
  fleet[0]?.scheduler.on('settled', ({ outcome, tick: { scheduledAt } }) => {
    const at = scheduledAt.getTime()
    if (outcome === 'succeeded') ran.set(at, (ran.get(at) ?? 0) + 1)
  })
  for (const { scheduler } of fleet) await scheduler.start()
  await until('the others are known', async () => (await redis.zcard('{escapement:0}:instances')) === 3)
  const from = Date.now()
  await until('all jobs of an instant are claimed without a look', () =>
    [...ran].some(
      ([at, count]) =>
        at > from && count === 20 && !jobs.some((name) => looked.has(`{escapement:0}:${name}:t:${at}`)),
    ),
  )
})

test('two apps with a job of the same name are told, and each instance leaves nothing of itself', async () => {
  const server = await startServer()
  const redis = new Redis(server.port)
  undo.push(() => redis.disconnect())
  const fleet = ['shop', 'blog'].map((app) => {
    vi.stubEnv('npm_package_name', app)
    return member({ clients: [server.url] })
  })
  vi.unstubAllEnvs()
  const told = () =>
    fleet.map(({ lines }) => lines.filter(({ text }) => text.includes('namespace of its own')))
  for (const { scheduler } of fleet) {
    scheduler.job('cleanup', NEVER, () => {})
    await scheduler.start()
  }
  await until('both tell it', () => told().every((lines) => lines.length > 0))
  expect(told().map((lines) => lines.length)).toEqual([1, 1])
  expect(told()[0]?.[0]).toMatchObject({ level: 'warn', fields: { app: 'blog' } })
  expect(await redis.keys('{escapement:0}:jobs:*')).toHaveLength(2)
  for (const { scheduler } of fleet) await scheduler.stop()
  expect(await redis.keys('{escapement:0}:[hj]*')).toEqual([])
})
