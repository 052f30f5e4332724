import { createScheduler, type Logger, type Scheduler } from '@escapement/core'
import { type RedisStoreOptions, redisStore } from '@escapement/redis-store'
import { fakeRun } from '@escapement/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisServer } from '../../redis-lock/test/redis-server.ts'

let server: RedisServer
let admin: Redis
beforeAll(async () => {
  server = await RedisServer.start()
  admin = new Redis(server.url, { maxRetriesPerRequest: null })
})
afterAll(async () => {
  admin.disconnect()
  await server.stop()
})

interface Opened {
  scheduler: Scheduler
  store: NonNullable<ReturnType<typeof redisStore>['store']>
  lines: string[]
}

/** A scheduler with a store of this prefix, and what it logs. */
async function open(prefix: string, options: Partial<RedisStoreOptions> = {}): Promise<Opened> {
  const lines: string[] = []
  const line = (_: object, message?: string) => void lines.push(String(message))
  const logger = { debug() {}, info() {}, warn: line, error: line } as Logger
  const plugin = redisStore({ redis: server.url, prefix, ...options })
  const scheduler = createScheduler({ plugins: [plugin], logger })
  await scheduler.start()
  return { scheduler, store: plugin.store as Opened['store'], lines }
}

async function eventually(check: () => unknown, what: string, ms = 20_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`after ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('a Redis in trouble', () => {
  test('one that is away harms no run: what it has missed is written when it is back', async () => {
    const { scheduler, store, lines } = await open('away')
    scheduler.job('a', '@yearly', () => 'done')
    await server.kill()
    await eventually(async () => {
      await store.record(fakeRun({ job: 'lost' }))
      return store.trouble?.() !== undefined
    }, 'the trouble is seen')
    // The request itself cannot be kept: it is refused, and says so.
    await expect(scheduler.run('a')).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_UNAVAILABLE' })
    const run = fakeRun({ job: 'a', outcome: 'succeeded' })
    await store.begin?.(run)
    await store.record(run)
    await server.up()
    await eventually(() => store.trouble?.() === undefined, 'the trouble is over')
    expect((await store.runs({ job: 'a' })).map(({ id }) => id)).toEqual([run.id])
    expect(lines.filter((line) => line.startsWith('redis-store fails'))).toHaveLength(1)
    expect(lines.filter((line) => line === 'redis-store works again')).toHaveLength(1)
    await scheduler.stop()
  })

  test('a full one (noeviction) is said, and what waits is written when there is room', async () => {
    const { scheduler, store, lines } = await open('full')
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    await admin.config('SET', 'maxmemory', '1')
    try {
      for (let i = 0; i < 20; i++) await store.record(fakeRun({ job: 'a', at: i, outcome: 'succeeded' }))
      await eventually(() => store.trouble?.()?.includes('OOM'), 'the trouble is seen')
      expect(scheduler.health().degraded.some((line) => line.includes('OOM'))).toBe(true)
    } finally {
      await admin.config('SET', 'maxmemory', '0')
    }
    await eventually(() => store.trouble?.() === undefined, 'the trouble is over')
    expect(await store.runs({ job: 'a' })).toHaveLength(20)
    const [counts] = (await store.stats?.({ from: 0, job: 'a' })) ?? []
    expect(counts?.outcomes).toEqual({ succeeded: 20 })
    expect(lines.filter((line) => line.includes('OOM'))).toHaveLength(1)
    await scheduler.stop()
  })

  test('FLUSHALL is said, and what comes after it is kept', async () => {
    const { scheduler, store, lines } = await open('emptied')
    await store.record(fakeRun({ job: 'a', outcome: 'succeeded' }))
    expect(await store.runs()).toHaveLength(1)
    await admin.flushall()
    const after = fakeRun({ job: 'a', outcome: 'failed' })
    await store.record(after)
    await eventually(() => store.trouble?.()?.includes('emptied'), 'it is said')
    expect((await store.runs()).map(({ id }) => id)).toEqual([after.id])
    expect(lines.filter((line) => line.includes('emptied'))).toHaveLength(1)
    await scheduler.stop()
  })

  test('eviction (allkeys-lru) is said, and queries go on', async () => {
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await admin.config('SET', 'maxmemory', String(used + 3_000_000))
    const { scheduler, store, lines } = await open('evicted')
    try {
      expect(lines.some((line) => line.includes('allkeys-lru'))).toBe(true)
      for (let i = 0; i < 4_000; i++) {
        const facts = { data: 'x'.repeat(1_000) }
        await store.record(fakeRun({ job: `job ${i % 40}`, outcome: 'succeeded', facts }))
        if (i % 500 === 0) await store.runs({ limit: 1 })
      }
      await eventually(async () => {
        await store.runs({ limit: 10_000 })
        return store.trouble?.()?.includes('evicted')
      }, 'it is said')
      const found = await store.runs({ limit: 10_000 })
      expect(found.length).toBeLessThan(4_000)
    } finally {
      await admin.config('SET', 'maxmemory', '0')
      await admin.config('SET', 'maxmemory-policy', 'noeviction')
    }
    await scheduler.stop()
  })
})

describe('the bound', () => {
  test('holds what Redis really takes, and the newest of each job stay', async () => {
    await admin.flushall()
    const before = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    const maxBytes = 4 * 1024 * 1024
    const { scheduler, store } = await open('bound', { maxBytes, retention: { runs: 20 } })
    for (let i = 0; i < 30; i++) await store.record(fakeRun({ job: 'rare', outcome: 'succeeded' }))
    for (let i = 0; i < 12_000; i++) {
      await store.record(fakeRun({ job: 'busy', outcome: i % 10 ? 'succeeded' : 'failed' }))
      if (i % 2_000 === 0) await store.runs({ limit: 1 })
    }
    const kept = await store.runs({ limit: 20_000 })
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]) - before
    console.log(`${kept.length} runs, ${used} bytes: ${Math.round(used / kept.length)} bytes a run`)
    expect(kept.length).toBeGreaterThan(1_000)
    expect(kept.length).toBeLessThan(12_000)
    expect(used).toBeLessThan(maxBytes)
    expect(kept.filter(({ job }) => job === 'rare')).toHaveLength(20)
    // Counters outlive the records.
    const [counts] = (await store.stats?.({ from: 0, step: 'day', job: 'busy' })) ?? []
    expect(counts?.outcomes).toEqual({ succeeded: 10_800, failed: 1_200 })
    await scheduler.stop()
  })
})
