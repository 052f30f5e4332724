import { createScheduler, every, manual } from '@escapement/core'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

test('a start says one line on the default console: jobs, zone, next tick, lock', async () => {
  const info = vi.spyOn(console, 'info').mockImplementation(() => {})
  vi.useFakeTimers({ now: new Date('2026-03-01T12:00:30Z') })
  const { createScheduler } = await fresh()
  const scheduler = createScheduler({ timezone: 'UTC', instance: 'web-1' })
  scheduler.job('a', '0 13 * * *', () => {})
  scheduler.job('b', manual(), () => {})
  await scheduler.start()
  await vi.advanceTimersByTimeAsync(20_000)
  await scheduler.stop()
  expect(info.mock.calls.map(([line]) => line)).toEqual([
    'scheduler started jobs=2 timezone=UTC next=2026-03-01T13:00:00.000Z lock=no instance=web-1',
  ])
})

/** The default logger keeps the methods of the console that it finds when it is loaded. */
async function fresh() {
  vi.resetModules()
  return import('@escapement/core')
}

test.each([
  ['nobody has started', false, 'production', 1],
  ['was started', true, 'production', 0],
  ['nobody has started in a test', false, 'test', 0],
])('a scheduler that %s', async (_, start, env, lines) => {
  vi.stubEnv('NODE_ENV', env)
  vi.useFakeTimers()
  const warn = vi.fn()
  const scheduler = createScheduler({ logger: { debug() {}, info() {}, warn, error() {} } })
  scheduler.job('a', every('1h'), () => {})
  if (start) await scheduler.start()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(warn.mock.calls.map(([, message]) => message)).toEqual(
    Array(lines).fill(expect.stringContaining('the scheduler has not been started')),
  )
  await scheduler.stop()
})

test('a scheduler whose jobs only run on request needs no start', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  vi.useFakeTimers()
  const warn = vi.fn()
  createScheduler({ logger: { debug() {}, info() {}, warn, error() {} } }).job('a', manual(), () => {})
  await vi.advanceTimersByTimeAsync(60_000)
  expect(warn).not.toHaveBeenCalled()
})
