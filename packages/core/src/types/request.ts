import type { Asked, RunFacts, RunRecord } from './record.ts'
import type { Duration, Maybe } from './values.ts'

/** How a run is asked for. */
export interface RunOptions {
  /** Wait for the end, and get the record. Default false: get an answer when the request is accepted. */
  wait?: boolean
  /**
   * Asked twice with the same key within 24 h, a job runs once: the second answer names the first run. Other data under
   * the same key is refused (422).
   */
  key?: string
  /** When it is to run, or in how long. Default now. */
  at?: Date | number | string
  in?: Duration
  /** How long it may wait for its turn before it ends as `missed`. Default 24 h. */
  expires?: Duration
  /** The person or program that asks: the record names it. */
  by?: string
  /** The reason: the record gives it. */
  reason?: string
}

/** The answer to a request for a run: it is accepted, and is run once or ends on record as not run. */
export interface AcceptedRun {
  readonly id: string
  /** The name of the job. */
  readonly job: string
  /** It survives the end of this process: a durable store keeps it. */
  readonly durable: boolean
  /** The record of the run when it has ended, wherever it took place. Rejects when this scheduler stops before. */
  readonly settled: Promise<RunRecord>
}

/** A run that was asked for, as it is kept until it has ended. */
export interface RunRequest {
  /** The id of the run. */
  readonly id: string
  readonly job: string
  /** When it is due, in ms. */
  readonly at: number
  /** When it ends as `missed` if it has not begun, in ms. */
  readonly expires: number
  /** As it was given. */
  readonly data: unknown
  readonly key: string | undefined
  readonly asked: Asked | undefined
  /** The id of the run that it runs again: its cause is `retry`, else `manual`. */
  readonly retryOf?: string
  /** The run gets the data of the job, as its ticks do. */
  readonly jobData?: boolean
  /** What may be shown of it while it waits. */
  readonly facts?: RunFacts
}

/** How a run is run again. */
export type RetryRunOptions = Pick<RunOptions, 'key' | 'by' | 'reason'>

/** Where requests for runs wait. */
export interface RequestStore {
  /** What is kept survives the end of the process. */
  readonly durable: boolean
  /** How often it is asked for requests that others have made, in ms. Default 400. */
  readonly poll?: number
  /**
   * Keeps a request. Resolves to its id, or to that of the run that was asked for with the same key before. The answer
   * comes when it is kept.
   *
   * @param max How many of the job may wait.
   * @throws ERR_ESCAPEMENT_QUEUE_FULL, ERR_ESCAPEMENT_KEY_REUSED, ERR_ESCAPEMENT_JOB_UNKNOWN
   */
  accept(request: RunRequest, max: number): Maybe<string>
  /**
   * Those that wait and are due at `now` (ms), the oldest of each job first, at most `room(job)` of a job; and all that
   * are past their `expires`. One that has begun waits no more: `record()` of its run, or `begin()`, takes it out.
   */
  due(now: number, room: (job: string) => number): Maybe<RunRequest[]>
  /** Which of these wait: another instance may have begun one or taken it out. Without it they all do, as far as is known. */
  waiting?(ids: readonly string[]): Maybe<string[]>
  /** Takes one out, that will not run or that runs here now: false when it does not wait any more. */
  withdraw(id: string): Maybe<boolean>
}
