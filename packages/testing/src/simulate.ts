import {
  type Clock,
  createScheduler,
  type Duration,
  type JobOptions,
  type JobState,
  memoryStore,
  type Outcome,
  parseDuration,
  type Run,
  type Scheduler,
  type SkipReason,
  type Store,
  type Timer,
  type TriggerSpec,
} from '@escapement/core'
import { WATERMARK_AHEAD } from '@escapement/core/plugin'

/** A job as it is played: with its policies, but instead of a handler how long a run takes. */
export interface SimulatedJob extends JobOptions {
  trigger: TriggerSpec
  /** Default 0. */
  takes?: Duration | ((run: Run) => Duration)
  /** Whether an attempt fails at its end. Default never. */
  fails?: (run: Run) => boolean
}

/** What happens to the machine. */
export type Fault = { at: Date | string } & (
  | {
      /** The wall clock is set forward, or (negative) back, by this number of ms. */
      step: number
    }
  | {
      /** The event loop is blocked. */
      block: Duration
    }
  | {
      /** The process is killed, and started again after this time. */
      down: Duration
    }
)

export interface SimulateOptions {
  jobs: Record<string, SimulatedJob>
  from: Date | string
  to: Date | string
  /** Of cron strings. Default `'UTC'`. */
  timezone?: string
  /** In the order of their instants. */
  faults?: readonly Fault[]
}

/** What became of a tick. Times are ms since the epoch. */
export interface Played {
  readonly job: string
  readonly scheduledAt: number
  /** When it was decided: started, or found to be missed or skipped. */
  readonly at: number
  readonly cause: Run['cause']
  readonly outcome: Outcome
  readonly reason: SkipReason | undefined
  /** For a `missed` record that stands for many ticks: the instant up to which all were missed. */
  readonly until: number | undefined
}

/**
 * Plays schedules on a clock that takes no time: a year in seconds, with changes to DST, clocks that are set,
 * blocked event loops and restarts. What is missed while the process is down is caught up as with a durable
 * store.
 *
 * @throws what registering the jobs throws; RangeError for instants that are none
 *
 * @example
 * const played = await simulate({
 *   jobs: { report: { trigger: '30 2 * * *', takes: '5m' } },
 *   from: '2026-01-01', to: '2027-01-01', timezone: 'Europe/Berlin',
 *   faults: [{ at: '2026-05-01T00:00:00Z', down: '12h' }],
 * })
 */
export async function simulate(options: SimulateOptions): Promise<Played[]> {
  const { jobs, timezone = 'UTC', faults = [] } = options
  const clock = new SimulatedClock(instant(options.from))
  const end = instant(options.to)
  const store = keptStore()
  const played: Played[] = []
  const boot = async () => {
    const scheduler = createScheduler({
      clock,
      timezone,
      plugins: [{ name: 'simulation', store }],
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    })
    scheduler.on('settled', (run) => void played.push(toPlayed(run, clock.now())))
    for (const [name, job] of Object.entries(jobs)) register(scheduler, clock, name, job)
    await scheduler.start()
    return scheduler
  }
  let scheduler = await boot()
  for (const fault of faults) {
    await clock.play(instant(fault.at), scheduler)
    if ('step' in fault) clock.wall += fault.step
    else if ('block' in fault) clock.pass(parseDuration(fault.block, 'block'))
    else {
      clock.clear()
      clock.pass(parseDuration(fault.down, 'down'))
      scheduler = await boot()
    }
  }
  await clock.play(end, scheduler)
  clock.clear()
  return played
}

function register(scheduler: Scheduler, clock: Clock, name: string, job: SimulatedJob): void {
  const { trigger, takes = 0, fails = () => false, ...policies } = job
  scheduler.job(name, trigger, policies as JobOptions & { schema?: undefined }, (run) => {
    const end = () => {
      if (fails(run)) throw new Error('failed as told')
    }
    const ms = parseDuration(typeof takes === 'function' ? takes(run) : takes, 'takes', { min: 0 })
    if (ms === 0) return end()
    return new Promise<void>((resolve, reject) => {
      clock.setTimeout(() => resolve(), ms)
      run.signal.addEventListener('abort', () => reject(run.signal.reason))
    }).then(end)
  })
}

function toPlayed(run: Run, now: number): Played {
  const { job, tick, cause, outcome, reason, startedAt, until } = run
  return {
    job: job.name,
    scheduledAt: tick.scheduledAt.getTime(),
    at: startedAt?.getTime() ?? now,
    cause: cause,
    outcome: outcome as Outcome,
    reason,
    until: until?.getTime(),
  }
}

function instant(given: Date | string): number {
  const at = new Date(given).getTime()
  if (Number.isNaN(at)) throw new RangeError(`not a date: ${String(given)}`)
  return at
}

/** Forgets runs, but knows over restarts up to where each job is decided. */
function keptStore(): Store {
  const decided = new Map<string, number>()
  return {
    ...memoryStore({ limit: 0 }),
    jobs: {
      enroll: (jobs, now) =>
        jobs.map(({ name }): JobState => {
          const known = decided.get(name)
          if (known === undefined || known > now + WATERMARK_AHEAD) decided.set(name, now)
          return { decided: known }
        }),
      decided: (job, at) => void decided.set(job, Math.max(at, decided.get(job) ?? at)),
    },
  }
}

interface Pending extends Timer {
  due: number
  callback: () => void
}

/** Time that jumps from timer to timer. */
class SimulatedClock implements Clock {
  wall: number
  #mono = 1
  readonly #timers = new Set<Pending>()
  #immediates: (() => void)[] = []

  constructor(start: number) {
    this.wall = start
  }

  now(): number {
    return Math.floor(this.wall)
  }

  monotonic(): number {
    return this.#mono
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const timer = { due: this.#mono + Math.max(0, ms), callback }
    this.#timers.add(timer as Pending)
    return timer as Pending
  }

  clearTimeout(timer: Timer): void {
    this.#timers.delete(timer as Pending)
  }

  setImmediate(callback: () => void): void {
    this.#immediates.push(callback)
  }

  pass(ms: number): void {
    this.#mono += ms
    this.wall += ms
  }

  /** The process is gone. */
  clear(): void {
    this.#timers.clear()
    this.#immediates = []
  }

  /** Calls timers in their order until the wall clock shows `until`. */
  async play(until: number, scheduler: Scheduler): Promise<void> {
    await settle()
    for (;;) {
      const timer = this.#first()
      if (!timer || this.wall + timer.due - this.#mono > until) break
      this.pass(Math.max(0, timer.due - this.#mono))
      this.#timers.delete(timer)
      const busy = scheduler.health().inFlight > 0
      timer.callback()
      for (let callback = this.#immediates.shift(); callback; callback = this.#immediates.shift()) callback()
      // Where no run is under way, there is no promise to wait for.
      if (busy || scheduler.health().inFlight > 0) await settle()
    }
    this.pass(Math.max(0, until - this.wall))
  }

  #first(): Pending | undefined {
    let first: Pending | undefined
    for (const timer of this.#timers) if (!first || timer.due < first.due) first = timer
    return first
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
