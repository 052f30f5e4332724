import {
  createScheduler,
  every,
  type Fleet,
  type FleetEvent,
  type FleetSelf,
  type Lock,
  manual,
  type Pause,
} from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

test('all jobs are paused at once, also those that come later, and go on when they are resumed', async () => {
  const { scheduler, clock } = harness()
  const ran: string[] = []
  scheduler.job('a', every('1s'), () => void ran.push('a'))
  await scheduler.start()
  await scheduler.pause(undefined, { by: 'ann', reason: 'migration' })
  const b = scheduler.job('b', every('1s'), () => void ran.push('b'))
  await clock.advance('5s')
  expect(ran).toEqual([])
  expect(scheduler.paused).toEqual({ by: 'ann', reason: 'migration' })
  expect(b.paused).toEqual({ by: 'ann', reason: 'migration' })
  await scheduler.resume()
  await clock.advance('2s')
  expect(ran).toEqual(['a', 'b', 'a', 'b'])
  await scheduler.stop()
})

test('a pause ends by itself at its instant, and not before', async () => {
  const { scheduler, clock } = harness()
  const ran: number[] = []
  const resumed: string[] = []
  scheduler.on('resumed', ({ name }) => resumed.push(name))
  const job = scheduler.job('a', every('1s'), ({ tick }) => void ran.push(tick.scheduledAt.getTime()))
  await scheduler.start()
  const start = clock.now()
  await job.pause({ for: '10s' })
  await clock.advance('9s')
  expect(ran).toEqual([])
  await clock.advance('3s')
  expect(ran.map((at) => at - start)).toEqual([10_000, 11_000, 12_000])
  expect(resumed).toEqual(['a'])
  expect(job.paused).toBeUndefined()
  await scheduler.stop()
})

test.each([
  ['an unknown option', { foo: 1 }],
  ['two ends', { until: '2030-01-01', for: '1h' }],
  ['an end that is over', { until: 0 }],
  ['a length that is none', { for: 'soon' }],
  ['a name that is none', { by: 7 }],
])('a pause with %s is refused where it is given', (_, options) => {
  const { scheduler } = harness()
  scheduler.job('a', manual(), () => {})
  expect(() => scheduler.pause('a', options as never)).toThrow(/ERR|option|pause|until|for|by/)
  expect(() => scheduler.pause('none')).toThrow(
    expect.objectContaining({ code: 'ERR_ESCAPEMENT_JOB_UNKNOWN' }),
  )
})

/** A fleet whose answers a test decides. */
function fakeFleet() {
  const calls: string[] = []
  const fleet = {
    shared: true,
    self: undefined as FleetSelf | undefined,
    kept: [] as Pause[],
    broken: false,
    join(self: FleetSelf) {
      fleet.self = self
      return fleet.kept
    },
    members: () => [],
    pause(pause: Pause) {
      calls.push(`pause ${pause.job}`)
      if (fleet.broken) throw new Error('away')
      fleet.kept = [...fleet.kept.filter(({ job }) => job !== pause.job), pause]
    },
    resume(job: string | undefined) {
      calls.push(`resume ${job}`)
      if (fleet.broken) throw new Error('away')
      fleet.kept = fleet.kept.filter((pause) => pause.job !== job)
    },
    proposePause: (pause: Pause) => pause,
    send: () => 'unknown' as const,
  }
  return { fleet: fleet satisfies Fleet, calls }
}

test('a pause of the fleet holds before the first tick, and for jobs that are registered later', async () => {
  const { fleet } = fakeFleet()
  fleet.kept = [
    { job: 'a', at: new Date(0), by: 'ann' },
    { job: 'late', at: new Date(0), by: 'bob' },
  ]
  const { scheduler, clock } = harness({ plugins: [{ name: 'fleet', fleet }] })
  let ran = 0
  scheduler.job('a', every('1s'), () => void ran++)
  await scheduler.start()
  const late = scheduler.job('late', every('1s'), () => void ran++)
  await clock.advance('3s')
  expect(ran).toBe(0)
  expect(late.paused).toEqual({ by: 'bob' })
  fleet.self?.pausesChanged([])
  await clock.advance('1s')
  expect(ran).toBe(2)
  await scheduler.stop()
})

test('a pause that the fleet cannot keep holds here, rejects with 503, and is kept when that can be', async () => {
  const { fleet, calls } = fakeFleet()
  const { scheduler, clock } = harness({ plugins: [{ name: 'fleet', fleet }] })
  let ran = 0
  scheduler.job('a', every('1s'), () => void ran++)
  await scheduler.start()
  fleet.broken = true
  await expect(scheduler.pause('a', { by: 'ann' })).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_UNAVAILABLE',
    status: 503,
  })
  expect(scheduler.health().degraded.join()).toMatch(/fleet/)
  // News of the fleet do not know it yet.
  fleet.self?.pausesChanged([])
  await clock.advance('3s')
  expect(ran).toBe(0)
  fleet.broken = false
  await clock.advance('2s')
  expect(fleet.kept).toMatchObject([{ job: 'a', by: 'ann' }])
  expect(scheduler.health().degraded).toEqual([])
  expect(calls.length).toBeGreaterThan(1)
  await scheduler.stop()
})

test('what people do is in the audit, with who, why, and why not', async () => {
  const { scheduler } = harness()
  scheduler.job('a', manual(), () => {})
  await scheduler.pause('a', { by: 'ann', reason: 'broken' })
  await scheduler.resume('a', { by: 'bob' })
  await scheduler.cancel('none', { by: 'eve' }).catch(() => {})
  const { id } = await scheduler.run('a', undefined, { wait: true, by: 'cy' })
  const again = await scheduler.retry(id, { by: 'dan', reason: 'once more' })
  await again.settled
  expect(await scheduler.forget({ run: id, by: 'fay' })).toBe(1)
  const audit = await scheduler.audit()
  expect(
    audit.map(({ action, job, run, by, reason, refused }) => [action, job ?? run, by, reason, !!refused]),
  ).toEqual([
    ['forgot', id, 'fay', undefined, false],
    ['retried', id, 'dan', 'once more', false],
    ['asked', 'a', 'cy', undefined, false],
    ['cancelled', 'none', 'eve', undefined, true],
    ['resumed', 'a', 'bob', undefined, false],
    ['paused', 'a', 'ann', 'broken', false],
  ])
  expect((await scheduler.audit({ action: 'paused', by: 'ann' })).length).toBe(1)
  expect(await scheduler.find(id)).toBeUndefined()
})

test('a run is run again with what it was asked with, and names it', async () => {
  const { scheduler } = harness()
  const got: unknown[] = []
  scheduler.job('a', manual(), ({ data }) => void got.push(data))
  const { id } = await scheduler.run('a', { month: 7 }, { wait: true })
  const record = await (await scheduler.retry(id)).settled
  expect(got).toEqual([{ month: 7 }, { month: 7 }])
  expect(record).toMatchObject({ cause: 'retry', retryOf: id, outcome: 'succeeded' })
  await expect(scheduler.retry('none')).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_RUN_UNKNOWN',
    status: 404,
  })
})

test('the run of a tick is run again with the data of its job', async () => {
  const { scheduler, clock } = harness()
  const got: unknown[] = []
  scheduler.job('a', every('1h'), { data: { a: 1 } }, ({ data }) => void got.push(data))
  await scheduler.start()
  await clock.advance('1h')
  const [record] = await scheduler.history()
  await (await scheduler.retry(record?.id as string)).settled
  expect(got).toEqual([{ a: 1 }, { a: 1 }])
  await scheduler.stop()
})

test.each([
  ['cut', {}, 'x'.repeat(20_000)],
  ['not kept', { keep: { data: false } }, 'x'],
])('a run whose input is %s is not run again: 409', async (_, options, data) => {
  const { scheduler } = harness()
  scheduler.job('a', manual(), options, () => {})
  const { id } = await scheduler.run('a', data, { wait: true })
  await expect(scheduler.retry(id)).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_INPUT_GONE', status: 409 })
})

test('a run whose data was redacted is not run again with what is left of it', async () => {
  const { scheduler } = harness({ redact: (text) => text.replace('4711', '…') })
  scheduler.job('a', manual(), () => {})
  const { id } = await scheduler.run('a', { card: '4711' }, { wait: true })
  await expect(scheduler.retry(id)).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_INPUT_GONE' })
})

test('a run under way is found, and not run again before its end', async () => {
  const { scheduler } = harness()
  let end = () => {}
  scheduler.job('a', manual(), () => new Promise<void>((resolve) => (end = resolve)))
  const { id, settled } = await scheduler.run('a')
  expect(await scheduler.find(id)).toMatchObject({ id, state: 'running' })
  expect(await scheduler.history({ state: 'running' })).toMatchObject([{ id }])
  await expect(scheduler.retry(id)).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_RUN_STATE', status: 409 })
  end()
  await settled
  expect(await scheduler.find(id)).toMatchObject({ id, state: 'succeeded' })
})

test('an instance runs the jobs of its roles, and those that name none', async () => {
  const clock = new VirtualClock()
  const ran: string[] = []
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const scheduler = createScheduler({ clock, logger, timezone: 'UTC', roles: ['web'], version: '1.2.3' })
  scheduler.job('any', every('1s'), () => void ran.push('any'))
  scheduler.job('web', every('1s'), { role: 'web' }, () => void ran.push('web'))
  const worker = scheduler.job('worker', every('1s'), { role: 'worker' }, () => void ran.push('worker'))
  await scheduler.start()
  await clock.advance('1s')
  expect(ran).toEqual(['any', 'web'])
  expect(worker.next).toBeUndefined()
  await expect(scheduler.run('worker')).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_NOT_RUN', status: 409 })
  const [member] = await scheduler.members()
  expect(member).toMatchObject({ version: '1.2.3', roles: ['web'], pid: process.pid })
  expect(Object.keys(member?.jobs ?? {})).toEqual(['any', 'web'])
  expect(scheduler.scope).toEqual({ shared: false, durable: false })
  await scheduler.stop()
})

test('what a job has done is counted by hour, also of runs that are not kept any more', async () => {
  const { scheduler, clock } = harness()
  let n = 0
  scheduler.job('a', every('1m'), async () => {
    if (++n % 10 === 0) throw new Error('tenth')
  })
  scheduler.job('b', every('1h'), () => {})
  await scheduler.start()
  const from = clock.now()
  await clock.advance('3h')
  const all = await scheduler.stats({ from })
  expect(all.map(({ at }) => at.getTime() - from)).toEqual([0, 1, 2, 3].map((hour) => hour * 3_600_000))
  const sum = (of: typeof all, outcome: 'succeeded' | 'failed') =>
    of.reduce((total, { outcomes }) => total + (outcomes[outcome] ?? 0), 0)
  expect([sum(all, 'succeeded'), sum(all, 'failed')]).toEqual([165, 18])
  const own = await scheduler.stats({ from, job: 'b', step: 'day' })
  expect(own).toMatchObject([{ job: 'b', outcomes: { succeeded: 3 }, runs: 3 }])
  expect((await scheduler.stats({ from, perJob: true })).some(({ job }) => job === 'a')).toBe(true)
  await scheduler.stop()
})

test('ticks in a row that were skipped for one reason are one record', async () => {
  const { scheduler, clock } = harness()
  const job = scheduler.job('a', every('1m'), () => {})
  await scheduler.start()
  await clock.advance('2m')
  await job.pause()
  await clock.advance('1h')
  await job.resume()
  await clock.advance('1m')
  const runs = await scheduler.history()
  expect(runs.map(({ outcome, count }) => [outcome, count])).toEqual([
    ['succeeded', undefined],
    ['skipped', 60],
    ['succeeded', undefined],
    ['succeeded', undefined],
  ])
  expect(runs[1]?.until?.getTime()).toBe((runs[0]?.scheduledAt.getTime() ?? 0) - 60_000)
  await scheduler.stop()
})

test('outages of the lock are events of the fleet, told when it can be told', async () => {
  let away = true
  const lock: Lock = {
    claim: () => ({
      granted: false,
      reason: away ? 'claim-unavailable' : 'claimed-elsewhere',
      error: new Error('no lock'),
    }),
  }
  const told: FleetEvent[] = []
  const fleet: Fleet = {
    shared: true,
    join: () => [],
    members: () => [],
    pause() {},
    resume() {},
    proposePause: () => undefined,
    send: () => 'unknown',
    // What keeps it is away together with the lock.
    tell(event) {
      if (away) throw new Error('the fleet is away, too')
      told.push(event)
    },
  }
  const { clock, scheduler } = harness({ plugins: [{ name: 'shared', lock, fleet }] })
  scheduler.job('a', every('1s'), () => {})
  await scheduler.start()
  await clock.advance('5s')
  expect(told).toEqual([])
  away = false
  await clock.advance('3s')
  const { instance } = scheduler
  const [began, ended] = [1, 6].map(
    (seconds) => new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1_000),
  )
  expect(told).toEqual([
    { at: began, instance, kind: 'lock-unavailable', note: 'no lock' },
    { at: ended, instance, kind: 'lock-available' },
  ])
  // One that comes and goes is told once a minute.
  for (let i = 0; i < 30; i++) {
    away = !away
    await clock.advance('1s')
  }
  away = false
  await clock.advance('2s')
  expect(told).toHaveLength(2)
  // Also one that begins soon after another, when it lasts.
  away = true
  await clock.advance('2m')
  away = false
  await clock.advance('3s')
  expect(told.map(({ kind }) => kind).slice(2)).toEqual(['lock-unavailable', 'lock-available'])
})
