import { inspect } from 'node:util'
import { cron, EscapementError, manual, memoryStore, type Store } from '@escapement/core'
import { liveRun } from '@escapement/testing'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

test('jobs are plain data as JSON, and short on a console', async () => {
  const { scheduler } = harness()
  const options = { owner: 'ops', data: { big: 10n }, retry: 3 }
  const job = scheduler.job('a', cron('0 9 * * *', { timezone: 'Asia/Shanghai' }), options, () => {})
  await scheduler.start()
  await job.run(undefined, { wait: true })
  expect(JSON.parse(JSON.stringify(scheduler.jobs()))).toEqual([
    {
      name: 'a',
      schedule: '0 9 * * *',
      timezone: 'Asia/Shanghai',
      owner: 'ops',
      next: '2026-01-01T01:00:00.000Z',
      running: 0,
      last: { outcome: 'succeeded', at: '2026-01-01T00:00:00.000Z' },
    },
  ])
  expect(inspect(job)).toMatch(/^Job \{\s+name: 'a',/)
  expect(inspect(job)).not.toContain('\n')
  expect(inspect({ deep: { jobs: [job] } })).toContain('Job')
})

test('a run is its record as JSON, while it is under way and afterwards', async () => {
  const { scheduler } = harness()
  let during = ''
  scheduler.job('a', manual(), (run) => {
    during = JSON.stringify(run)
    throw Object.assign(new Error('bad'), { big: 10n })
  })
  const run = await liveRun(scheduler, 'a', { event: 'settled' })
  expect(JSON.parse(during)).toMatchObject({ id: run.id, job: 'a', state: 'running' })
  const [record] = await scheduler.history()
  expect(JSON.stringify(run)).toBe(JSON.stringify(record))
  expect(inspect(run)).toMatch(
    /^Run \{ key: '.*', state: 'failed', attempt: 1, duration: .*, error: 'bad' \}$/,
  )
})

test('one record of many missed ticks is shown with their number', async () => {
  const decided = Date.parse('2025-12-31T22:59:59Z')
  const store: Store = {
    ...memoryStore(),
    jobs: {
      enroll: (jobs) => jobs.map(() => ({ decided })),
      decided() {},
    },
  }
  const { clock, scheduler, lines } = harness({ plugins: [{ name: 'kept', store }] })
  scheduler.job('ten', '*/6 * * * *', { missed: 'skip' }, () => {})
  scheduler.job('many', '* * * * * *', { missed: 'skip' }, () => {})
  await scheduler.start()
  await clock.advance(1)
  const warned = lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
  expect(warned).toContain('ten missed 10 ticks')
  expect(warned).toContain('many missed 3600 ticks')
})

test('an error of another copy of the package is an EscapementError', async () => {
  const copy = '../src/errors.ts?copy'
  const other = (await import(/* @vite-ignore */ copy)) as { EscapementError: typeof EscapementError }
  expect(other.EscapementError).not.toBe(EscapementError)
  const error = new other.EscapementError('ERR_ESCAPEMENT_CRON', 'bad')
  expect(error).toBeInstanceOf(EscapementError)
  expect(new EscapementError('ERR_ESCAPEMENT_CRON', 'bad')).toBeInstanceOf(other.EscapementError)
  class Own extends EscapementError {}
  expect(error).not.toBeInstanceOf(Own)
  expect(new Own('ERR_ESCAPEMENT_CRON', 'bad')).toBeInstanceOf(Own)
  const hostile = new Proxy({}, { has: () => expect.fail('asked') })
  for (const value of [new Error('x'), null, undefined, {}, 'text', hostile]) {
    expect(value instanceof EscapementError).toBe(false)
  }
})
