import type { Cause, Outcome, SkipReason, State } from './outcome.ts'

export interface RunQuery {
  job?: string
  outcome?: Outcome
  /** Any state, e.g. `'running'`. Only durable stores know runs under way. */
  state?: State
  /** Of this tick: all its starts. */
  key?: string
  /** The id of the last record of the page before. */
  before?: string
  /** At most this many. Default 100. */
  limit?: number
}

/** A run as plain data. */
export interface RunRecord {
  readonly id: string
  readonly key: string
  readonly job: string
  readonly scheduledAt: Date
  readonly cause: Cause
  readonly state: State
  readonly reason: SkipReason | undefined
  readonly attempt: number
  /** How often instances that died had begun the tick before: 0 for its first run. */
  readonly restarts: number
  readonly startedAt: Date | undefined
  readonly endedAt: Date | undefined
  /** For a `missed` record that stands for many ticks: the instant up to which all were missed. */
  readonly until: Date | undefined
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
}
