import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScheduler, type JobOptions, type Scheduler, type SchedulerOptions } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'
import { VirtualClock } from '@escapement/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
let clock: VirtualClock
let log: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  clock = new VirtualClock('2026-03-01T00:00:00Z')
  log = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** An instance with one job, which notes what becomes of its ticks. */
function instance(
  name: string,
  {
    cron = '0 * * * *',
    handler = () => {},
    ...options
  }: JobOptions & { cron?: string; handler?: () => unknown } = {},
  more: SchedulerOptions = {},
): Scheduler {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  const scheduler = createScheduler({
    clock,
    timezone: 'UTC',
    instance: name,
    logger: quiet,
    plugins: [sqlite({ file: join(folder, 'jobs.db'), heartbeat: '10m', lease: '30m', poll: '10m' })],
    ...more,
  })
  scheduler.on('settled', (run) => {
    const until = run.until ? `..${run.until.toISOString().slice(11, 16)}` : ''
    const at = run.tick.scheduledAt.toISOString().slice(11, 16)
    log.push(`${name} ${run.cause} ${run.outcome}${run.reason ? `:${run.reason}` : ''} ${at}${until}`)
  })
  scheduler.job('report', cron, options, handler)
  return scheduler
}

async function start(scheduler: Scheduler): Promise<void> {
  await clock.until(scheduler.start())
  await clock.advance(50)
}

const stop = (scheduler: Scheduler) => clock.until(scheduler.stop())

test('a first registration catches nothing up', async () => {
  const a = instance('a')
  await start(a)
  expect(log).toEqual([])
  await clock.advance('1h')
  expect(log).toEqual(['a schedule succeeded 01:00'])
  await stop(a)
})

test('after downtime: the newest tick runs, the others are missed, told of together', async () => {
  await stop(await started(instance('a')))
  await clock.advance('3h30m')
  const b = await started(instance('b'))
  expect(log).toEqual(['b catch-up missed 01:00..02:59', 'b catch-up succeeded 03:00'])
  await clock.advance('30m')
  expect(log.slice(2)).toEqual(['b schedule succeeded 04:00'])
  await stop(b)
})

test('a single missed tick is caught up, one older than the window is missed', async () => {
  await stop(await started(instance('a', { catchUpWindow: '10m' })))
  await clock.advance('65m')
  await stop(await started(instance('b', { catchUpWindow: '10m' })))
  await clock.advance('1h15m')
  await stop(await started(instance('c', { catchUpWindow: '10m' })))
  expect(log).toEqual(['b catch-up succeeded 01:00', 'c catch-up missed 02:00'])
})

test('missed: all runs every tick in order, those before the window are missed together', async () => {
  const options: JobOptions = { missed: 'all', catchUpWindow: '2h30m' }
  await stop(await started(instance('a', options)))
  await clock.advance('5h10m')
  const b = await started(instance('b', options))
  await clock.advance(100)
  expect(log).toEqual([
    'b catch-up missed 01:00..02:40',
    'b catch-up succeeded 03:00',
    'b catch-up succeeded 04:00',
    'b catch-up succeeded 05:00',
  ])
  await stop(b)
})

test('missed: skip runs none', async () => {
  await stop(await started(instance('a', { missed: 'skip' })))
  await clock.advance('3h10m')
  await stop(await started(instance('b', { missed: 'skip' })))
  expect(log).toEqual(['b catch-up missed 01:00..02:59', 'b catch-up missed 03:00'])
})

test('a restart without a tick between catches nothing up and loses nothing', async () => {
  for (const name of ['a', 'b', 'c']) {
    const scheduler = await started(instance(name, { cron: '*/10 * * * *' }))
    await clock.advance('15m')
    await stop(scheduler)
  }
  const at = log.map((line) => line.slice(-5))
  expect(at).toEqual(['00:10', '00:20', '00:30', '00:40'])
})

test('a changed expression starts afresh, and stays known afterwards', async () => {
  await stop(await started(instance('a')))
  await clock.advance('3h10m')
  await stop(await started(instance('b', { cron: '5 * * * *' })))
  expect(log).toEqual([])
  await clock.advance('1h')
  await stop(await started(instance('c', { cron: '5 * * * *' })))
  expect(log).toEqual(['c catch-up succeeded 04:05'])
})

test('a pause survives restarts; what fell into it is not made up for', async () => {
  const a = await started(instance('a'))
  void a.pause('report', { by: 'ann', reason: 'broken' })
  await clock.advance('1h10m')
  await stop(a)
  await clock.advance('5h')
  const b = await started(instance('b'))
  expect(b.get('report').paused).toEqual({ by: 'ann', reason: 'broken' })
  await clock.advance('1h')
  expect(log).toEqual(['a schedule skipped:paused 01:00', 'b schedule skipped:paused 07:00'])
  void b.resume('report')
  await clock.advance('1h')
  await stop(b)
  const c = await started(instance('c'))
  expect(c.get('report').paused).toBeUndefined()
  expect(log.slice(2)).toEqual(['b schedule succeeded 08:00'])
  await stop(c)
})

test('a job registered as paused and resumed by hand stays resumed', async () => {
  const a = await started(instance('a', { paused: true }))
  void a.resume('report')
  await stop(a)
  const b = await started(instance('b', { paused: true }))
  expect(b.get('report').paused).toBeUndefined()
  await stop(b)
})

test('a watermark far ahead was written by a wrong clock: it is not waited for', async () => {
  const a = await started(instance('a'))
  await clock.advance('5h10m')
  await stop(a)
  clock.step(-4 * 3_600_000)
  log = []
  const b = await started(instance('b', { cron: '0 * * * *' }))
  await clock.advance('5h')
  expect(log.at(-1)).toBe('b schedule succeeded 06:00')
  await stop(b)
})

test('ten instances that start together decide each missed tick once', async () => {
  await stop(await started(instance('a')))
  await clock.advance('3h30m')
  const all = Array.from({ length: 10 }, (_, i) => instance(`i${i}`))
  await Promise.all(all.map(started))
  await clock.advance('1s')
  const decided = log
    .filter((line) => !line.includes('claimed-elsewhere'))
    .map((line) => line.replace(/^\S+ /, ''))
  expect(decided).toEqual(['catch-up missed 01:00..02:59', 'catch-up succeeded 03:00'])
  await Promise.all(all.map(stop))
})

test('the run of a process that was killed does not keep the next tick from being caught up', async () => {
  const killed = await started(instance('a', { handler: () => new Promise(() => {}) }))
  await clock.advance('1h')
  expect(killed.health().inFlight).toBe(1)
  // Killed: its timers are not called any more, nothing is written at its end.
  const later = new VirtualClock('2026-03-01T09:30:00Z')
  clock = later
  const b = await started(instance('b'))
  expect(log).toEqual([
    'b schedule abandoned 01:00',
    'b catch-up missed 02:00..08:59',
    'b catch-up succeeded 09:00',
  ])
  const states = (await b.history()).map(({ state, instance }) => `${instance} ${state}`)
  expect(states.toSorted()).toEqual(['a abandoned', 'b missed', 'b succeeded'])
  await stop(b)
})

test('a job added to a running scheduler is caught up as well', async () => {
  await stop(await started(instance('a')))
  await clock.advance('3h30m')
  const b = createScheduler({
    clock,
    timezone: 'UTC',
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    plugins: [sqlite({ file: join(folder, 'jobs.db'), heartbeat: '10m', lease: '30m', poll: '10m' })],
  })
  await start(b)
  b.on('settled', (run) => void log.push(`${run.outcome} ${run.tick.id}`))
  b.job('report', '0 * * * *', () => {})
  await clock.advance(100)
  expect(log).toEqual(['missed report@2026-03-01T01:00:00.000Z', 'succeeded report@2026-03-01T03:00:00.000Z'])
  await stop(b)
})

async function started(scheduler: Scheduler): Promise<Scheduler> {
  await start(scheduler)
  return scheduler
}
