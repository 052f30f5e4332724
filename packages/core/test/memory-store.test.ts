import { createScheduler, every, manual, memoryStore } from '@escapement/core'
import { fakeRun, VirtualClock } from '@escapement/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const heap = () => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

test.each([
  [
    'a response hangs on them',
    () => Object.assign(new Error('bad'), { response: new Array(130_000).fill(0) }),
  ],
  ['their messages are long', (i: number) => new Error(`${i}${'x'.repeat(1_000_000)}`)],
])('a hundred failures are kept in a few MB, though %s', async (_, make) => {
  const { scheduler } = harness({ logger: { debug() {}, info() {}, warn() {}, error() {} } })
  let i = 0
  scheduler.job('a', manual(), () => Promise.reject(make(i++)))
  const before = heap()
  for (let n = 0; n < 100; n++) await scheduler.run('a', undefined, { wait: true })
  expect(await scheduler.history({ limit: 1000 })).toHaveLength(100)
  if (globalThis.gc) expect(heap() - before).toBeLessThan(10e6)
  else
    expect((await scheduler.history()).every(({ error }) => (error?.message.length ?? 0) < 2_100)).toBe(true)
  const [record] = await scheduler.history()
  expect(record?.error).toEqual(record?.errors[0])
})

test('a record keeps the newest ten errors of many attempts', async () => {
  const { scheduler, clock } = harness()
  const retry = { retries: 30, delay: 1, backoff: 'fixed' } as const
  scheduler.job('a', manual(), { retry }, (run) => {
    throw new Error(`attempt ${run.attempt}`)
  })
  const run = scheduler.run('a', undefined, { wait: true })
  await clock.advance('1m')
  await run
  const [record] = await scheduler.history()
  expect(record?.errors.map(({ message }) => message)).toEqual(
    Array.from({ length: 10 }, (_, i) => `attempt ${22 + i}`),
  )
})

test('when it is full, the job with the most runs loses its oldest', () => {
  const store = memoryStore({ limit: 12 })
  const counts = () => {
    const found: Record<string, number> = {}
    for (const { job } of store.runs({ limit: 1000 }) as { job: string }[]) found[job] = (found[job] ?? 0) + 1
    return found
  }
  const record = (job: string, times: number) => {
    for (let i = 0; i < times; i++) void store.record(fakeRun({ job, outcome: 'succeeded' }))
  }
  record('a', 100)
  expect(counts()).toEqual({ a: 12 })
  record('b', 1)
  expect(counts()).toEqual({ a: 11, b: 1 })
  record('b', 100)
  expect(counts()).toEqual({ a: 6, b: 6 })
  record('c', 100)
  expect(counts()).toEqual({ a: 4, b: 4, c: 4 })
  for (let i = 0; i < 20; i++) record(`once-${i}`, 1)
  expect(Object.values(counts())).toEqual(new Array(12).fill(1))
  expect(Object.keys(counts())[0]).toBe('once-19')
})

test('a paused job and a busy one keep the history of their runs', async () => {
  const clock = new VirtualClock()
  const scheduler = createScheduler({ clock, timezone: 'UTC', logger: harness().scheduler.log })
  const job = scheduler.job('hourly', every('1h'), () => {})
  scheduler.job('busy', every('10s'), () => {})
  await scheduler.start()
  await clock.advance('2h')
  void job.pause()
  await clock.advance('12h')
  const runs = await scheduler.history({ job: 'hourly', outcome: 'succeeded' })
  expect(runs.length).toBe(2)
  await scheduler.stop()
})

const MONDAY = Date.UTC(2026, 0, 5)

test('ticks in a row that were skipped stay one record when another run of the job is forgotten', async () => {
  const store = memoryStore()
  const done = fakeRun({ job: 'a', outcome: 'succeeded' })
  const apart = fakeRun({ job: 'a', outcome: 'missed' })
  for (const run of [done, apart]) void store.record(run)
  for (let i = 0; i < 5; i++) {
    const at = MONDAY + i * 1000
    void store.record(fakeRun({ job: 'a', outcome: 'skipped', reason: 'paused', at }))
  }
  expect(await store.forget?.({ run: apart.id })).toBe(1)
  const [skipped] = await store.runs({ outcome: 'skipped' })
  expect(skipped).toMatchObject({ count: 5, until: new Date(MONDAY + 4000) })
})

test('a tick that is skipped is reported though the record of those before it is not kept any more', async () => {
  const store = memoryStore({ limit: 1 })
  const skip = (job: string, i: number) =>
    store.record(fakeRun({ job, outcome: 'skipped', reason: 'paused', at: MONDAY + i * 1000 }))
  for (const [i, job] of ['a', 'b', 'a'].entries()) void skip(job, i)
  const [newest] = await store.runs({})
  expect(newest).toMatchObject({ job: 'a', scheduledAt: new Date(MONDAY + 2000) })
})

test('whatever runs, it keeps the newest of each job, as many as fit, and counts all', async () => {
  const runs = fc.array(
    fc.record({
      job: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fails: fc.boolean(),
      // A busy job comes many times in a row.
      times: fc.constantFrom(1, 1, 1, 2, 30),
    }),
    { maxLength: 40 },
  )
  await fc.assert(
    fc.asyncProperty(runs, fc.integer({ min: 1, max: 60 }), async (all, limit) => {
      const { scheduler } = harness({ plugins: [{ name: 'memory', store: memoryStore({ limit }) }] })
      for (const name of 'abcde')
        scheduler.job(name, manual(), (run) => {
          if (run.data === true) throw new Error('failed')
        })
      const recorded: Record<string, string[]> = {}
      for (const { job, fails, times } of all) {
        recorded[job] ??= []
        for (let i = 0; i < times; i++)
          recorded[job].push((await scheduler.run(job, fails, { wait: true })).id)
      }
      const kept: Record<string, string[]> = {}
      for (const { job, id } of (await scheduler.history({ limit: 1000 })).toReversed())
        kept[job] = [...(kept[job] ?? []), id]
      const total = Object.values(recorded).reduce((sum, { length }) => sum + length, 0)
      const counts = Object.values(kept).map(({ length }) => length)
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(Math.min(limit, total))
      for (const [job, ids] of Object.entries(recorded)) {
        const own = kept[job] ?? []
        expect(own).toEqual(ids.slice(ids.length - own.length))
        if (own.length < ids.length) expect(own.length).toBeGreaterThanOrEqual(Math.max(...counts) - 1)
      }
      const stats = await scheduler.stats({ from: 0, step: 'day', perJob: true })
      const counted = Object.fromEntries(stats.map(({ job, runs }) => [job, runs]))
      expect(counted).toEqual(
        Object.fromEntries(Object.entries(recorded).map(([job, ids]) => [job, ids.length])),
      )
    }),
    { numRuns: 60 },
  )
})
