import type { Cause, Outcome, SkipReason, State } from './outcome.ts'

/** Which runs are asked for. All that is given must be true of a run. */
export interface RunQuery {
  id?: string
  job?: string
  outcome?: Outcome | readonly Outcome[]
  /** Any state, e.g. `'running'`. */
  state?: State | readonly State[]
  cause?: Cause | readonly Cause[]
  /** Made at this instant or later. Runs are in the order in which they were made. */
  from?: Date | number
  /** Made before this instant. */
  until?: Date | number
  /** In the name of the job or the message of the last error, whatever the case of its letters. At most 200 characters. */
  text?: string
  /** Of this tick: all its starts. */
  key?: string
  /** Those that were made before the run of this id, which need not be kept any more: the page after its page. */
  before?: string
  /** Those that were made next after the run of this id: the page before its page. */
  after?: string
  /** At most this many. Default 100. */
  limit?: number
}

/** The person or program that asked for something, and the reason. */
export interface Asked {
  readonly by?: string
  readonly reason?: string
}

/** How far a run had come when its handler last said so. */
export interface ProgressRecord {
  /** 0 to 1. */
  readonly fraction: number
  readonly note?: string
  readonly at: Date
}

/** One line that a handler has written with `run.log`. */
export interface LogLine {
  readonly at: Date
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/**
 * The facts that the history keeps of a run, besides how it ended, so that people can look at them. Secrets of URLs are
 * left out, and so is what the scheduler's `redact` leaves out.
 */
export interface RunFacts {
  /** What the run was asked with, or the job's `data`, as JSON gives it back. Undefined when `cut` says why. */
  readonly data: unknown
  /** What the handler returned, likewise. */
  readonly result: unknown
  readonly progress: ProgressRecord | undefined
  /** The person or program that asked for a `manual` run, and the reason. */
  readonly asked: Asked | undefined
  /** The id of the run that this one follows. */
  readonly parent: string | undefined
  /** The id of the run that it runs again, for an operator. */
  readonly retryOf: string | undefined
  /** How many lines of `run.log` are kept: at most 500, of 64 kB in all. */
  readonly logLines: number
  /** What was left out, and why. */
  readonly cut: { readonly data?: string; readonly result?: string; readonly log?: string } | undefined
}

/** A run as plain data. */
export interface RunRecord extends RunFacts {
  readonly id: string
  readonly key: string
  readonly job: string
  readonly scheduledAt: Date
  readonly cause: Cause
  readonly state: State
  /** How it ended; undefined before the end. */
  readonly outcome: Outcome | undefined
  readonly reason: SkipReason | undefined
  readonly attempt: number
  /** How often instances that died had begun the tick before: 0 for its first run. */
  readonly restarts: number
  readonly startedAt: Date | undefined
  readonly endedAt: Date | undefined
  /** How long after its instant the tick was started, in ms. */
  readonly late: number
  /** From the first attempt's start to the end, in ms; undefined before the end, and when it never began. */
  readonly duration: number | undefined
  /** For a record of ticks in a row that were `missed`, or `skipped` for one reason: the instant of the last one. */
  readonly until: Date | undefined
  /** For a record of ticks in a row that were skipped: how many there were. */
  readonly count: number | undefined
  /** The last error. */
  readonly error: ErrorRecord | undefined
  /** Of each failed attempt, oldest first; at most the last 10. */
  readonly errors: readonly ErrorRecord[]
  readonly traceId: string | undefined
  readonly fence: number | undefined
  readonly instance: string
}

export interface ErrorRecord {
  readonly name: string
  readonly message: string
  readonly code: string | undefined
  readonly stack: string | undefined
  /** What lies behind it: its `cause`, and the `errors` of an `AggregateError`, without stacks. */
  readonly causes?: readonly ErrorRecord[]
}
