import { every, type JobStore, manual, type Plugin, type StopInfo } from '@escapement/core'
import { describe, expect, test } from 'vitest'
import { deferred, harness } from './harness.ts'

/** What happens to a promise, seen from outside. */
function watched(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'pending' }
  promise.then(
    () => {
      seen.state = 'resolved'
    },
    (error) => {
      seen.state = `rejected ${error.code ?? error.message}`
    },
  )
  return seen
}

describe('stop() while start() hangs', () => {
  const drain = { grace: '5s', abort: '2s' }

  test('in a plugin: it ends, start() rejects, and the plugin is stopped when its start has ended', async () => {
    const gate = deferred()
    const calls: string[] = []
    const before: Plugin = { name: 'before', stop: () => void calls.push('before.stop') }
    const slow: Plugin = { name: 'slow', start: () => gate.promise, stop: () => void calls.push('slow.stop') }
    const after: Plugin = { name: 'after', start: () => void calls.push('after.start') }
    const { clock, scheduler, lines } = harness({ drain, plugins: [before, slow, after] })
    const started = watched(scheduler.start())
    await clock.settle()
    const stopped = watched(scheduler.stop())
    await clock.advance('9s')
    expect([started.state, stopped.state]).toEqual(['rejected ERR_ESCAPEMENT_STOPPED', 'resolved'])
    expect(scheduler.state).toBe('stopped')
    expect(scheduler.health().live).toBe(false)
    expect(calls).toEqual(['before.stop'])
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { pending: ['slow.start()'] } },
    ])
    gate.resolve()
    await clock.settle()
    expect(calls).toEqual(['before.stop', 'slow.stop'])
  })

  test('start() after it works, and what the first start ends with late does it no harm', async () => {
    const gates = [deferred(), deferred()]
    const calls: string[] = []
    let starts = 0
    const slow: Plugin = {
      name: 'slow',
      start: () => gates[starts++]?.promise,
      stop: () => void calls.push('stop'),
    }
    const { clock, scheduler, log } = harness({ drain, plugins: [slow] })
    scheduler.job('a', every('1s'), () => {})
    scheduler.start().catch(() => {})
    const stopped = scheduler.stop()
    await clock.advance('9s')
    await stopped
    const again = watched(scheduler.start())
    gates[1]?.resolve()
    await clock.settle()
    expect(again.state).toBe('resolved')
    gates[0]?.resolve()
    await clock.advance('2s')
    expect(calls).toEqual([])
    expect(log).toHaveLength(2)
    await scheduler.stop()
    expect(calls).toEqual(['stop'])
  })

  test('in the first question to the store: it ends, and a late answer arms nothing', async () => {
    const gate = deferred<never[]>()
    const jobs: JobStore = { enroll: () => gate.promise, decided: () => {} }
    const store = { record: () => {}, runs: () => [], jobs }
    const { clock, scheduler, log } = harness({ drain, plugins: [{ name: 'store', store }] })
    scheduler.job('a', every('1s'), () => {})
    const started = watched(scheduler.start())
    await clock.settle()
    const stopped = watched(scheduler.stop())
    await clock.advance('9s')
    expect([started.state, stopped.state]).toEqual(['rejected ERR_ESCAPEMENT_STOPPED', 'resolved'])
    gate.resolve([])
    await clock.advance('5s')
    expect(log).toEqual([])
    expect(clock.pending).toBe(0)
  })

  test('runs that were asked for meanwhile are drained', async () => {
    const { clock, scheduler, log } = harness({
      drain,
      plugins: [{ name: 'slow', start: () => new Promise(() => {}) }],
    })
    scheduler.job('a', manual(), () => new Promise<void>((resolve) => clock.setTimeout(resolve, 3000)))
    scheduler.start().catch(() => {})
    await scheduler.run('a')
    const stopped = watched(scheduler.stop())
    await clock.advance('9s')
    expect(log).toHaveLength(1)
    expect(log[0]).toMatch(/^a succeeded/)
    expect(stopped.state).toBe('resolved')
  })
})

test('a start that only takes a while is waited for by stop()', async () => {
  const calls: string[] = []
  const { clock, scheduler } = harness({
    plugins: [
      {
        name: 'db',
        start: () => new Promise<void>((resolve) => clock.setTimeout(resolve, 500)),
        stop: () => void calls.push('stop'),
      },
    ],
  })
  const started = watched(scheduler.start())
  const stopped = watched(scheduler.stop())
  await clock.advance('1s')
  expect([started.state, stopped.state, calls]).toEqual(['resolved', 'resolved', ['stop']])
})

test('a start that fails while what was started hangs in its stop() rejects in bounded time', async () => {
  const { clock, scheduler } = harness({
    plugins: [
      { name: 'hangs', stop: () => new Promise(() => {}) },
      { name: 'fails', start: () => Promise.reject(new Error('no')) },
    ],
  })
  const started = watched(scheduler.start())
  await clock.advance('2s')
  expect(started.state).toBe('rejected no')
})

test('a store that never answers the first question delays the ticks by half a minute, not for ever', async () => {
  const jobs: JobStore = { enroll: () => new Promise(() => {}), decided: () => {} }
  const { clock, scheduler, log, lines } = harness({
    plugins: [{ name: 'store', store: { record: () => {}, runs: () => [], jobs } }],
  })
  scheduler.job('a', every('1s'), () => {})
  void scheduler.start()
  await clock.advance('32s')
  expect(log.length).toBeGreaterThan(0)
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
})

test('plugins learn how long the stop waits for them, and are named when they take longer', async () => {
  const told: StopInfo[] = []
  const { clock, scheduler, lines } = harness({
    drain: { grace: '5s', abort: '2s' },
    plugins: [
      {
        name: 'flush',
        stop: (info) => {
          told.push(info)
          return new Promise(() => {})
        },
      },
    ],
  })
  scheduler.job('a', manual(), () => new Promise<void>((resolve) => clock.setTimeout(resolve, 3000)))
  await scheduler.start()
  await scheduler.run('a')
  const stopped = watched(scheduler.stop())
  await clock.advance('8999ms')
  expect(stopped.state).toBe('pending')
  await clock.advance(1)
  expect(stopped.state).toBe('resolved')
  expect(told).toEqual([{ clean: true, deadline: 6000 }])
  expect(lines.at(-2)).toMatchObject({ level: 'warn', fields: { pending: ['flush.stop()'] } })
})
