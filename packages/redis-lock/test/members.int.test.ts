import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { member, startServer, undo } from './open-fleet.ts'
import { until } from './open-nodes.ts'
import { KeptProxy } from './proxy.ts'
import { freePort } from './redis-server.ts'

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

test('two apps with a job of the same name are reported, and each instance leaves nothing of itself', async () => {
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

test('a Redis that came back empty gives no lease before the longest of the fleet is over', async () => {
  const server = await startServer()
  const proxy = await KeptProxy.start(server.port)
  undo.push(() => proxy.stop())
  const redis = new Redis(server.port)
  undo.push(() => redis.disconnect())
  const monitor = await redis.monitor()
  undo.push(() => monitor.disconnect())
  const read = new Set<string>()
  monitor.on('monitor', (_: string, [name = '', key = '']: string[]) => {
    if (name === 'GET') read.add(key)
  })
  const events: string[] = []
  const long = member({ clients: [`redis://127.0.0.1:${proxy.port}`], lease: 4000 })
  const short = member({ clients: [server.url], lease: 1000 })
  long.scheduler.job('work', '* * * * * *', async ({ signal }) => {
    events.push('begun')
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    events.push('aborted')
  })
  await long.scheduler.start()
  await short.scheduler.start()
  await until('it is at work', () => events.length > 0)
  const told = async () => (await redis.keys('{escapement:0}:head:*')).length
  await until('they know each other', async () => (await told()) === 2 && jobsRead(read) === 2)
  // A monitor that connects again may meet its first lines before the answer to its command, and throws then.
  monitor.disconnect()
  short.scheduler.job('work', '* * * * * *', () => void events.push('other'))
  proxy.switchTo(await freePort())
  await server.kill()
  await server.up()
  await until('the other one runs', () => events.includes('other'))
  expect(events).toEqual(['begun', 'aborted', 'other'])
})

/** How many instances have read what others tell of their jobs. */
const jobsRead = (keys: ReadonlySet<string>) =>
  [...keys].filter((key) => key.startsWith('{escapement:0}:jobs:')).length
