import type { JobEntry } from '../jobs/job-entry.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { Clock, Events, Logger } from '../types/index.ts'
import type { Timetable } from './timetable.ts'

/** The longest time between two checks, in ms. */
const MAX_SLEEP_MS = 30_000

/** What the watchdog watches. */
export interface WatchdogContext {
  readonly clock: Clock
  readonly log: Logger
  readonly events: Events
  readonly inFlight: Iterable<ActiveRun> & { readonly size: number }
  /** Wall time in ms. */
  now(): number
}

/** Looks after what should not happen: runs that take too long, jobs that are not armed. */
export class Watchdog {
  readonly #context: WatchdogContext
  readonly #timetable: Timetable
  #checked = 0
  /** The shortest `slow` of any job, in ms. */
  #shortest = MAX_SLEEP_MS

  constructor(context: WatchdogContext, timetable: Timetable) {
    this.#context = context
    this.#timetable = timetable
  }

  /** How long the scheduler may sleep, in ms. */
  get maxSleep(): number {
    return this.#context.inFlight.size > 0 ? this.#shortest : MAX_SLEEP_MS
  }

  add(job: JobEntry): void {
    this.#shortest = Math.max(1000, Math.min(this.#shortest, job.policies.slow))
  }

  check(jobs: Iterable<JobEntry>): void {
    this.#tellSlow()
    const mono = this.#context.clock.monotonic()
    if (mono - this.#checked < MAX_SLEEP_MS) return
    this.#checked = mono
    for (const job of jobs) {
      if (job.bucket || job.awaits || job.exhausted) continue
      this.#timetable.arm(job, this.#context.now())
      if (!job.bucket) continue
      this.#context.log.error({ job: job.name }, `${job.name} was not armed, and is now`)
      this.#context.events.emit('rearmed', job)
    }
  }

  #tellSlow(): void {
    for (const run of this.#context.inFlight) {
      if (run.lazyFields?.slow || run.duration < run.job.policies.slow) continue
      run.lazy.slow = true
      this.#context.log.warn(
        { job: run.job.name, run_id: run.id, duration_ms: Math.round(run.duration) },
        `${run.job.name} is slow`,
      )
      this.#context.events.emit('slow', run)
    }
  }
}
