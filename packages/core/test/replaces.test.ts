import { every, type SchedulerOptions } from '@escapement/core'
import { expect, test } from 'vitest'
import { deferred, harness } from './harness.ts'

/** A second scheduler on the clock of the first, as changed code that is loaded again makes it. */
function reload(options: SchedulerOptions = {}) {
  const older = harness()
  const newer = harness({ clock: older.clock, ...options })
  return { older, newer, clock: older.clock }
}

const seconds = (...logs: string[][]) =>
  logs
    .flat()
    .map((line) => line.slice(-2))
    .join(' ')

test('the jobs of a replaced scheduler go on where it has left them', async () => {
  const { older, newer, clock } = reload()
  older.scheduler.job('tick', every('1s'), () => {})
  newer.scheduler.job('tick', every('1s'), () => {})
  await older.scheduler.start()
  await clock.advance('3s')
  await newer.scheduler.start({ replaces: older.scheduler })
  await clock.advance('3s')
  expect(older.scheduler.state).toBe('stopped')
  expect(seconds(older.log)).toBe('01 02 03')
  expect(seconds(newer.log)).toBe('04 05 06')
})

test('the replaced scheduler runs its ticks until the plugins of the newer one have started', async () => {
  const gate = deferred()
  const { older, newer, clock } = reload({ plugins: [{ name: 'slow', start: () => gate.promise }] })
  older.scheduler.job('tick', every('1s'), () => {})
  newer.scheduler.job('tick', every('1s'), () => {})
  await older.scheduler.start()
  const started = newer.scheduler.start({ replaces: older.scheduler })
  await clock.advance('3s')
  expect(seconds(older.log)).toBe('01 02 03')
  gate.resolve()
  await started
  await clock.advance('2s')
  expect(seconds(older.log, newer.log)).toBe('01 02 03 04 05')
})

test('a tick that is due, but was not begun since the loop was busy, is run by the newer one', async () => {
  const { older, newer, clock } = reload()
  older.scheduler.job('tick', every('1s'), () => {})
  newer.scheduler.job('tick', every('1s'), () => {})
  await older.scheduler.start()
  await clock.advance('1s')
  const started = newer.scheduler.start({ replaces: older.scheduler })
  await Promise.all([clock.block('1100ms'), started])
  await clock.advance('2s')
  expect(seconds(older.log)).toBe('01')
  expect(seconds(newer.log)).toBe('02 03 04')
})

test('a tick that waits for its spread is run by the newer one', async () => {
  const { older, newer, clock } = reload()
  for (const { scheduler } of [older, newer]) scheduler.job('tick', every('10s'), { spread: '9s' }, () => {})
  await older.scheduler.start()
  await clock.advance('10s')
  expect(older.log).toEqual([])
  await newer.scheduler.start({ replaces: older.scheduler })
  await clock.advance('9s')
  expect(newer.log).toEqual(['tick succeeded 00:00:10'])
})

test('what is no scheduler is refused', () => {
  const { scheduler } = harness()
  const start = () => scheduler.start({ replaces: { jobs: () => [] } as never })
  expect(start).toThrow(expect.objectContaining({ code: 'ERR_ESCAPEMENT_OPTION' }))
})
