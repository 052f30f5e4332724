import { History } from './histories.ts'
import type { CountedJob, Counts } from './memory-counters.ts'

/**
 * What a store in memory holds of one job: its runs, the ticks that did not run, and its counters. It hangs on the job, since
 * to look it up by name for each run is dear where there are many jobs.
 */
export class JobMemory extends History implements CountedJob {
  /** The store. */
  readonly owner: object
  notRun: History | undefined = undefined
  /** The last tick was skipped. */
  skipped = false
  counts: Counts | undefined = undefined
  among: object | undefined = undefined

  constructor(owner: object) {
    super()
    this.owner = owner
  }
}
