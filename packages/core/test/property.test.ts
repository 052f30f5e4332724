import { every, type JobOptions, type Run } from '@escapement/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

/** How a handler behaves: how long it takes, and how it ends. */
interface Behaviour {
  ms: number
  end: 'return' | 'throw' | 'reject' | 'hang' | 'abortable'
}

type Fault =
  | { kind: 'block'; ms: number }
  | { kind: 'step'; ms: number }
  | { kind: 'pause' | 'resume' | 'request' | 'restart' | 'remove'; job: number }

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  ms: fc.integer({ min: 0, max: 9000 }),
  end: fc.constantFrom('return', 'return', 'throw', 'reject', 'hang', 'abortable'),
})

const job = fc.record({
  period: fc.constantFrom(1000, 2000, 3000, 5000, 7000),
  phase: fc.integer({ min: 0, max: 900 }),
  behaviours: fc.array(behaviour, { minLength: 1, maxLength: 4 }),
  overlap: fc.constantFrom('skip', 'queue', 'cancel-previous', 'allow'),
  missed: fc.constantFrom('latest', 'all', 'skip'),
  retries: fc.integer({ min: 0, max: 2 }),
  timeout: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
})

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('block' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
  fc.record({
    kind: fc.constant('step' as const),
    ms: fc.constantFrom(-3_600_000, -40_000, -900, 40_000, 3_600_000),
  }),
  fc.record({
    kind: fc.constantFrom(
      'pause' as const,
      'resume' as const,
      'request' as const,
      'restart' as const,
      'remove' as const,
    ),
    job: fc.nat(3),
  }),
)

const scenario = fc.record({
  jobs: fc.array(job, { minLength: 1, maxLength: 4 }),
  steps: fc.array(fc.record({ after: fc.integer({ min: 0, max: 15_000 }), fault }), { maxLength: 8 }),
  concurrency: fc.constantFrom(undefined, 1, 2),
})

test('whatever happens: one outcome a tick, no overlap, no surplus attempt, always armed, always stopped', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ jobs, steps, concurrency }) => {
      const { clock, scheduler, runs } = harness({
        drain: { grace: '3s', abort: '1s' },
        ...(concurrency && { concurrency }),
      })
      const active = new Map<string, number>()
      const broken: string[] = []
      let startedEarly = 0
      const setBack = steps.some((step) => step.fault.kind === 'step' && step.fault.ms < 0)
      jobs.forEach((spec, index) => {
        let calls = 0
        const { overlap, missed, timeout } = spec
        const options: JobOptions = { overlap, missed, retry: { retries: spec.retries, delay: 300 } }
        if (timeout) options.timeout = timeout
        scheduler.job(`job-${index}`, every(spec.period, { phase: spec.phase }), options, (run) => {
          if (!setBack && clock.now() < run.tick.scheduledAt.getTime()) startedEarly++
          const now = (active.get(run.job.name) ?? 0) + 1
          active.set(run.job.name, now)
          if (overlap !== 'allow' && now > 1) broken.push(`${run.tick.id} overlaps`)
          const leave = () => active.set(run.job.name, (active.get(run.job.name) ?? 1) - 1)
          // A handler that does not settle has ended for us when its attempt has: cleanup shows that.
          run.onCleanup(leave)
          return behave(run, spec.behaviours[calls++ % spec.behaviours.length] as Behaviour, clock)
        })
      })
      const armed = () => {
        if (scheduler.state !== 'running') return
        for (const job of scheduler.jobs()) {
          // Late ticks under 'all' go one by one: the next is armed when the one in flight has ended.
          const queues = job.policies.missed === 'all' && scheduler.health().inFlight > 0
          if (!job.next && !queues) broken.push(`${job.name} is not armed`)
        }
      }
      await scheduler.start()
      for (const { after, fault } of steps) {
        await clock.advance(after)
        if (fault.kind === 'block') await clock.block(fault.ms)
        else if (fault.kind === 'step') clock.step(fault.ms)
        else if (fault.kind === 'restart') {
          const stopped = scheduler.stop()
          await clock.advance(6000)
          await stopped
          await scheduler.start()
        } else {
          const name = `job-${fault.job}`
          if (!scheduler.has(name)) continue
          if (fault.kind === 'request') {
            await scheduler.run(name).catch((error) => expect(error.code).toBe('ERR_ESCAPEMENT_NOT_RUN'))
          } else void scheduler[fault.kind](name)
        }
        armed()
      }
      await clock.advance(35_000)
      armed()
      let stopped = false
      void scheduler.stop().then(() => {
        stopped = true
      })
      await clock.advance(6000)

      expect(stopped).toBe(true)
      expect(broken).toEqual([])
      expect(startedEarly).toBe(0)
      const ticks = runs.filter((run) => run.cause !== 'manual').map((run) => run.key)
      expect(new Set(ticks).size).toBe(ticks.length)
      for (const run of runs) {
        expect(run.outcome).toBeDefined()
        const spec = jobs[Number(run.job.name.slice(4))]
        expect(run.attempt).toBeLessThanOrEqual(1 + (spec?.retries ?? 0))
      }
      // Every instant of a job's schedule that was not decided lies in a gap made by a step or a stop.
      expect(scheduler.health().inFlight).toBe(0)
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 100) },
  )
}, 120_000)

test('without steps and stops, each instant of a schedule gets exactly one outcome', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(job, { minLength: 1, maxLength: 3 }),
      fc.array(
        fc.record({ after: fc.integer({ min: 0, max: 9000 }), block: fc.integer({ min: 0, max: 30_000 }) }),
        { maxLength: 5 },
      ),
      async (jobs, blocks) => {
        const { clock, scheduler, runs } = harness({ drain: { grace: 0, abort: 0 } })
        jobs.forEach(({ period, phase, overlap, missed, behaviours }, index) => {
          let calls = 0
          scheduler.job(`job-${index}`, every(period, { phase }), { overlap, missed, timeout: 4000 }, (run) =>
            behave(run, behaviours[calls++ % behaviours.length] as Behaviour, clock),
          )
        })
        const from = clock.now()
        await scheduler.start()
        for (const { after, block } of blocks) {
          await clock.advance(after)
          await clock.block(block)
        }
        // Long enough for `missed: 'all'` to catch up is not promised: stop when all but those are decided.
        await clock.advance(10_000)
        const until = clock.now()
        const stopped = scheduler.stop()
        await clock.advance(10_000)
        await stopped
        jobs.forEach(({ period, phase, missed }, index) => {
          const decided = runs
            .filter((run) => run.job.name === `job-${index}`)
            .map((run) => run.tick.scheduledAt.getTime())
            .sort((a, b) => a - b)
          const expected: number[] = []
          for (let at = Math.ceil((from + 1 - phase) / period) * period + phase; at <= until; at += period)
            expected.push(at)
          if (missed === 'all') expect(decided).toEqual(expected.slice(0, decided.length))
          else expect(decided).toEqual(expected)
        })
      },
    ),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 100) },
  )
}, 120_000)

function behave(
  run: Run,
  { ms, end }: Behaviour,
  clock: { setTimeout(fn: () => void, ms: number): unknown },
): unknown {
  if (end === 'throw') throw new Error('thrown')
  if (end === 'hang') return new Promise(() => {})
  return new Promise<void>((resolve, reject) => {
    clock.setTimeout(() => (end === 'reject' ? reject(new Error('rejected')) : resolve()), ms)
    if (end === 'abortable') run.signal.addEventListener('abort', () => reject(run.signal.reason))
  })
}
