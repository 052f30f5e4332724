import type { JobEntry } from '../jobs/job-entry.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { RunParts } from '../run/snapshot.ts'
import type { Clock } from '../types/index.ts'

/** A tick whose time has come. */
export interface DueTick {
  readonly job: JobEntry
  /** The nominal instant, in ms. */
  readonly at: number
  /** When it was found due, in ms. */
  readonly wall: number
  readonly parts: RunParts
}

/** What the timetable needs of the scheduler. */
export interface TimetableContext {
  readonly clock: Clock
  readonly wallClock: { look(): void }
  /** Wall time in ms. */
  now(): number
  /** How long a due tick is left to other instances, in ms. */
  claimDelay(job: JobEntry, at: number, now: number): number
}

export interface TimetableParts {
  readonly context: TimetableContext
  /** All jobs, armed or not. */
  jobs(): Iterable<JobEntry>
  /** How long to sleep at most, in ms. */
  maxSleep(): number
  /** Whether waiting for the next tick keeps the process from ending. */
  keepAlive(): boolean
  /** Fires a tick. The job is not armed again before the run that is returned has ended. */
  fire(tick: DueTick): ActiveRun | undefined
  onWake(): void
  /** The wall clock has moved by `by` ms. */
  onStep(by: number): void
  /** The wall clock was set back for long. */
  onBack(): void
  /** The trigger of a job has failed, or without an error: it works again. */
  onTrigger(job: JobEntry, error?: unknown): void
  /** A job has no tick after `after` (ms). */
  onExhausted(job: JobEntry, after: number): void
}
