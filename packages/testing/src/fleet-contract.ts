import assert from 'node:assert/strict'
import {
  createScheduler,
  type FleetEvent,
  type Lock,
  type Maybe,
  manual,
  type Plugin,
  type Scheduler,
} from '@escapement/core'
import type { Case } from './case.ts'

export interface FleetContractOptions {
  /** A plugin with a fleet port, for one of the instances that share what has this name. */
  plugin(name: string): Maybe<Plugin>
}

/** How long news may take, in ms, on a machine that is busy. */
const NEWS_MS = 5_000
/** How long a step may take, in ms: longer than what core allows a store or a command. */
const STEP_MS = 35_000
/** How long all of them may take, in ms: the step that takes too long is named. */
const CASE_MS = 50_000

/**
 * What a fleet port must do, as cases for any test runner.
 *
 * @example
 * for (const { name, run } of fleetContract({ plugin })) test(name, run)
 */
export function fleetContract({ plugin }: FleetContractOptions): Case[] {
  let opened = 0
  const fleet = (name: string, work: (all: Scheduler[], name: string) => Promise<void>): Case => ({
    name,
    run: async () => {
      const place = `fleet${++opened}`
      const all = [await instance(place, 'a'), await instance(place, 'b')]
      try {
        await inTime(Promise.all(all.map((scheduler) => scheduler.start())), 'the instances start')
        await inTime(work(all, place), 'all steps are done', CASE_MS)
      } finally {
        await inTime(Promise.all(all.map((scheduler) => scheduler.stop())), 'the instances stop')
      }
    },
  })
  const instance = async (place: string, name: string) => {
    const scheduler = createScheduler({
      plugins: [await plugin(place)],
      instance: `${place}-${name}`,
      version: '1.0.0',
      logger: QUIET,
      drain: { grace: 100, abort: 100 },
    })
    scheduler.job('job', manual(), (run) => untilAborted(run.signal))
    return scheduler
  }
  return [
    fleet(
      'a pause of one instance is in force on the others, with who, why and until, and ends for all',
      async ([a, b]) => {
        const until = new Date(Date.now() + 3_600_000)
        await a?.pause('job', { by: 'ann', reason: 'it’s "broken"', until })
        await eventually(() => b?.get('job').paused !== undefined, 'the pause is in force')
        assert.deepEqual(b?.get('job').paused, { by: 'ann', reason: 'it’s "broken"', until })
        await b?.resume('job', { by: 'bob' })
        await eventually(() => a?.get('job').paused === undefined, 'the pause is over')
      },
    ),
    fleet('all jobs are paused at once, also those of instances that come later', async ([a, b], place) => {
      await a?.pause(undefined, { by: 'ann' })
      await eventually(() => b?.paused !== undefined, 'the pause is in force')
      const late = await instance(place, 'late')
      await late.start()
      try {
        assert.deepEqual(late.paused, { by: 'ann' })
        await b?.resume()
        await eventually(() => late.paused === undefined && a?.paused === undefined, 'the pause is over')
      } finally {
        await late.stop()
      }
    }),
    fleet('a pause outlives the instance that made it', async ([a, b], place) => {
      await a?.pause('job', { by: 'ann' })
      await eventually(() => b?.get('job').paused !== undefined, 'the pause is in force')
      await a?.stop()
      const again = await instance(place, 'again')
      await again.start()
      try {
        assert.deepEqual(again.get('job').paused, { by: 'ann' })
      } finally {
        await again.stop()
      }
    }),
    fleet('a job that starts paused stays so, though it was known before', async ([a, b], place) => {
      await Promise.all([a?.stop(), b?.stop()])
      const again = createScheduler({
        plugins: [await plugin(place)],
        instance: `${place}-again`,
        logger: QUIET,
      })
      again.job('job', manual(), { paused: true }, () => {})
      await again.start()
      try {
        const began = Date.now()
        await eventually(
          async () => (await again.members()).some(({ seenAt }) => seenAt.getTime() > began + 1_000),
          'some heartbeats are written',
        )
        assert.ok(again.get('job').paused, 'it is paused')
        await again.resume('job')
      } finally {
        await again.stop()
      }
      // What was done by hand wins, and so does a pause that has ended by itself.
      for (const last of [false, true]) {
        const third = createScheduler({ plugins: [await plugin(place)], logger: QUIET })
        third.job('job', manual(), { paused: true }, () => {})
        await third.start()
        try {
          assert.equal(third.get('job').paused, undefined)
          if (!last) await third.pause('job', { until: new Date(Date.now() + 50) })
        } finally {
          await third.stop()
        }
        await new Promise((resolve) => setTimeout(resolve, 60))
      }
    }),
    fleet('the pause of a job that gets another name holds from the start', async ([a, b], place) => {
      await a?.pause('job', { by: 'ann' })
      await Promise.all([a?.stop(), b?.stop()])
      const again = createScheduler({
        plugins: [await plugin(place)],
        instance: `${place}-again`,
        logger: QUIET,
      })
      again.job('renamed', manual(), { formerly: 'job' }, () => {})
      await again.start()
      try {
        assert.deepEqual(again.get('renamed').paused, { by: 'ann' })
        await again.resume('renamed')
        assert.equal(again.get('renamed').paused, undefined)
      } finally {
        await again.stop()
      }
    }),
    fleet('each instance tells who is there, and what it runs', async ([a, b]) => {
      const run = await b?.run('job')
      await eventually(async () => {
        const members = (await a?.members()) ?? []
        return members.some(({ runs }) => runs.some(({ id }) => id === run?.id))
      }, 'the run is seen')
      const members = (await a?.members()) ?? []
      assert.deepEqual(members.map(({ instance }) => instance).toSorted(), [a?.instance, b?.instance])
      for (const member of members) {
        assert.equal(member.pid, process.pid)
        assert.equal(member.version, '1.0.0')
        assert.deepEqual(Object.keys(member.jobs), ['job'])
        assert.ok(Math.abs(member.seenAt.getTime() - Date.now()) < 60_000)
        assert.ok(Math.abs(member.skew ?? 0) < 10_000)
      }
    }),
    fleet('a run is cancelled on the instance that holds it', async ([a, b]) => {
      const run = await b?.run('job')
      await eventually(
        async () => (await a?.find(run?.id as string))?.state === 'running',
        'the run is on record',
      )
      const cancelled = a?.cancel(run?.id as string, { by: 'ann', reason: 'wrong month' })
      await inTime(Promise.resolve(cancelled), 'the command is answered')
      const record = await inTime(Promise.resolve(run?.settled), 'the asker learns of the end')
      assert.equal(record?.outcome, 'cancelled')
      assert.equal(record?.error?.message, 'cancelled by ann: wrong month')
      await assert.rejects(async () => a?.cancel('none'), { code: 'ERR_ESCAPEMENT_RUN_UNKNOWN' })
    }),
    fleet('outages of the lock are kept, and told on other instances', async ([a], place) => {
      let away = true
      const lock: Lock = {
        claim: () =>
          away
            ? { granted: false, reason: 'claim-unavailable', error: new Error('the lock is away') }
            : { granted: false, reason: 'overlap' },
      }
      const own = await plugin(place)
      const scheduler = createScheduler({
        plugins: [{ ...own, lock }],
        instance: `${place}-locked`,
        logger: QUIET,
        drain: { grace: 100, abort: 100 },
      })
      scheduler.job('locked', manual(), () => {})
      await scheduler.start()
      const told = async (kind: FleetEvent['kind']) => {
        const events = (await a?.fleetEvents()) ?? []
        return events.find((event) => event.kind === kind && event.instance === scheduler.instance)
      }
      try {
        await scheduler.run('locked')
        await eventually(async () => (await told('lock-unavailable')) !== undefined, 'the outage is told')
        assert.equal((await told('lock-unavailable'))?.note, 'the lock is away')
        assert.equal(await told('lock-available'), undefined)
        away = false
        await eventually(async () => (await told('lock-available')) !== undefined, 'its end is told')
      } finally {
        await inTime(scheduler.stop(), 'the instance stops')
      }
    }),
    fleet('starts and stops are kept', async ([a, b]) => {
      const name = b?.instance
      await b?.stop()
      await eventually(async () => {
        const events = (await a?.fleetEvents()) ?? []
        const of = (kind: string) => events.some((event) => event.kind === kind && event.instance === name)
        return of('started') && of('stopped')
      }, 'both are told')
    }),
  ]
}

const QUIET = { debug() {}, info() {}, warn() {}, error() {} }

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

/** What a step gives, or a refusal that names it. */
async function inTime<T>(step: Promise<T>, what: string, ms = STEP_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `after ${ms} ms: ${what}` })), ms)
  })
  return Promise.race([step, late]).finally(() => clearTimeout(timer))
}

/** Waits until something is so. */
async function eventually(check: () => Maybe<boolean>, what: string): Promise<void> {
  const end = performance.now() + NEWS_MS
  while (!(await check())) {
    assert.ok(performance.now() < end, `after ${NEWS_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
