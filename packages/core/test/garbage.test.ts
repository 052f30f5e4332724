import { type Executor, manual, memoryStore, type Schema, type Store } from '@escapement/core'
import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

const never = () => new Promise<never>(() => {})
const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error('of a getter')
    },
    has() {
      throw new Error('of has')
    },
  },
)

/** Its rejection is seen though the clock has to move first. */
function coded(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value }),
    (error) => error.code,
  )
}

describe('what a store answers to history()', () => {
  test.each([
    ['nothing', undefined, 'PLUGIN'],
    ['an object', {}, 'PLUGIN'],
    ['a number', Number.NaN, 'PLUGIN'],
    ['nothings', [undefined], 'PLUGIN'],
    ['hostile records', [hostile], 'PLUGIN'],
    ['a record of no job', [{ id: 'a', scheduledAt: new Date(0) }], 'PLUGIN'],
    ['a record of no time', [{ id: 'a', job: 'a', scheduledAt: new Date(Number.NaN) }], 'PLUGIN'],
    ['never', never(), 'UNAVAILABLE'],
  ])('%s', async (_, answer, code) => {
    const store = { ...memoryStore(), runs: () => answer } as unknown as Store
    const { scheduler, clock } = harness({ plugins: [{ name: 'store', store }] })
    const asked = coded(scheduler.history())
    await clock.advance('31s')
    expect(await asked).toBe(`ERR_ESCAPEMENT_${code}`)
  })
})

describe('what a schema answers to a request', () => {
  test.each([
    ['nothing', () => undefined, 'DATA'],
    ['a hostile object', () => hostile, 'DATA'],
    ['a promise of one', async () => ({ issues: hostile }), 'DATA'],
    ['issues without an end', () => ({ issues: { length: Infinity, slice: () => [hostile] } }), 'DATA'],
    ['never', never, 'UNAVAILABLE'],
  ])('%s', async (_, validate, code) => {
    const { scheduler, clock } = harness()
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as unknown as Schema
    scheduler.job('checked', manual(), { schema }, () => {})
    scheduler.job('other', '* * * * *', () => {})
    await scheduler.start()
    const asked = coded(scheduler.run('checked', {}))
    await clock.advance('61s')
    expect(await asked).toBe(`ERR_ESCAPEMENT_${code}`)
    expect(scheduler.get('other').last?.outcome).toBe('succeeded')
    await scheduler.stop()
  })
})

describe('an executor', () => {
  test.each<[string, Executor['execute'], string]>([
    [
      'that throws what nobody can read',
      () => {
        throw hostile
      },
      'failed',
    ],
    ['that rejects with it', () => Promise.reject(hostile), 'failed'],
    ['that never answers', never, 'timed-out'],
  ])('%s', async (_, execute, outcome) => {
    const { scheduler, clock, runs } = harness({ drain: { grace: '1s', abort: '1s' } })
    scheduler.job('odd', '30 * * * * *', { executor: { execute }, timeout: '5s' }, () => {})
    await scheduler.start()
    await clock.advance('40s')
    expect(runs.map((run) => run.outcome)).toEqual([outcome])
    await scheduler.stop()
  })
})
