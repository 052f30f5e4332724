import type { Handler, Job, Outcome, SkipReason } from '../types/index.ts'

/** What a run and the links around it know of the job. */
export interface RunnableJob extends Job, Readonly<OverlapLane>, Remembered {
  readonly handler: Handler
  /** What scheduled runs get. */
  readonly data: unknown
}

/** Which run keeps others of the job from overlapping it, and which one waits. Only the link `overlap` writes it. */
export interface OverlapLane {
  /** The serial number of a run; -1 when there is none. */
  holding: number
  queued: QueuedRun | undefined
}

/** A run that waits for its turn. */
export interface QueuedRun {
  readonly serial: number
  decide(outcome: Outcome, reason?: SkipReason): void
  proceed(): void
  dismiss(): void
}

/** What the history in memory holds of the job. Only that store reads and writes it. */
export interface Remembered {
  memory: unknown
}
