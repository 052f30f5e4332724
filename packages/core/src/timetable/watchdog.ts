import type { Engine } from '../engine/engine.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import type { Timetable } from './timetable.ts'

/** The longest time between two looks, in ms. */
const NAP = 30_000

/** Looks after what should not happen: runs that take too long, jobs that are not armed. */
export class Watch {
  readonly #engine: Engine
  readonly #timetable: Timetable
  #looked = 0
  /** The shortest `slow` of any job, in ms. */
  #shortest = NAP

  constructor(engine: Engine, timetable: Timetable) {
    this.#engine = engine
    this.#timetable = timetable
  }

  /** How long the scheduler may sleep, in ms. */
  get nap(): number {
    return this.#engine.inFlight.length > 0 ? this.#shortest : NAP
  }

  add(job: JobEntry): void {
    this.#shortest = Math.max(1000, Math.min(this.#shortest, job.policies.slow))
  }

  look(jobs: Iterable<JobEntry>): void {
    this.#tellSlow()
    const mono = this.#engine.clock.monotonic()
    if (mono - this.#looked < NAP) return
    this.#looked = mono
    for (const job of jobs) {
      if (job.slot || job.awaits || job.exhausted) continue
      this.#timetable.arm(job, this.#engine.now())
      if (!job.slot) continue
      this.#engine.log.error({ job: job.name }, `${job.name} was not armed, and is now`)
      this.#engine.events.emit('rearmed', job)
    }
  }

  #tellSlow(): void {
    for (const run of this.#engine.inFlight) {
      if (run.extras?.slow || run.duration < run.job.policies.slow) continue
      run.touch.slow = true
      this.#engine.log.warn(
        { job: run.job.name, run_id: run.id, duration_ms: Math.round(run.duration) },
        `${run.job.name} is slow`,
      )
      this.#engine.events.emit('slow', run)
    }
  }
}
