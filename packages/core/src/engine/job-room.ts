import type { JobEntry } from '../jobs/job-entry.ts'
import type { Clock } from '../types/index.ts'

/** Runs of a job that may overlap: how many begin at one look. */
const MAX_AT_ONCE = 100

/** How many runs of a job that were asked for can begin now. */
export class JobRoom {
  readonly #find: (job: string) => JobEntry | undefined
  readonly #clock: Clock
  /** Jobs that another instance runs, or whose lock is not available, until this instant of the monotonic clock. */
  readonly #blocked = new Map<string, number>()

  constructor(find: (job: string) => JobEntry | undefined, clock: Clock) {
    this.#find = find
    this.#clock = clock
  }

  /** There is none for this long. */
  block(job: string, ms: number): void {
    this.#blocked.set(job, this.#clock.monotonic() + ms)
  }

  of(name: string): number {
    const job = this.#find(name)
    if (!job?.here) return 0
    if ((this.#blocked.get(name) ?? 0) > this.#clock.monotonic()) return 0
    this.#blocked.delete(name)
    if (job.policies.overlap === 'allow') return MAX_AT_ONCE
    return job.holding < 0 ? 1 : 0
  }
}
