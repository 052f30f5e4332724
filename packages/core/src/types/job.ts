import type { Group, GroupOptions } from './group.ts'
import type { Logger } from './logger.ts'
import type { Cause, Outcome, SkipReason, State, Tick } from './outcome.ts'
import type { Asked, LogLine, RunFacts, RunRecord } from './record.ts'
import type { AcceptedRun, RunOptions } from './request.ts'
import type { Schema } from './schema.ts'
import type { Calendar, Trigger } from './trigger.ts'
import type { Duration, Maybe } from './values.ts'

/** A registered job: its description, its state, and what can be done with it. Also its own undo. */
export interface Job<Data = unknown, Input = Data> {
  readonly name: string
  readonly trigger: Trigger
  readonly policies: Policies
  readonly description: string | undefined
  readonly owner: string | undefined
  readonly runbook: string | undefined
  readonly group: string | undefined
  /** The instant of the next tick; undefined when there is none or the scheduler is not started. */
  readonly next: Date | undefined
  /** Runs under way. */
  readonly running: number
  /** The pause of it or of all jobs: the person, the reason, and its end; undefined when it is not paused. */
  readonly paused: PauseInfo | undefined
  /** It runs on instances of this role only; undefined: on all. */
  readonly role: string | undefined
  /** How and when the last run or tick was decided. */
  readonly last: { readonly outcome: Outcome; readonly at: Date } | undefined
  /** As `scheduler.run(name, data)`, with the data checked by the compiler. */
  run(data: Input | undefined, options: RunOptions & { wait: true }): Promise<RunRecord>
  run(data?: Input, options?: RunOptions): Promise<AcceptedRun>
  /** Ticks are skipped until resumed, on every instance. Runs under way go on. As `scheduler.pause(name)`. */
  pause(info?: PauseOptions): Promise<void>
  resume(info?: PauseInfo): Promise<void>
  /** Unregisters the job. Runs under way go on. */
  remove(): void
  [Symbol.dispose](): void
  /** As plain data, for `res.json(scheduler.jobs())`: without the handler, the data and the policies. */
  toJSON(): JobFacts
}

/** What `JSON.stringify()` and `console.log()` show of a job. What it does not have is left out. */
export interface JobFacts
  extends Partial<
    Pick<Job, 'description' | 'owner' | 'runbook' | 'group' | 'role' | 'next' | 'paused' | 'last'>
  > {
  readonly name: string
  readonly schedule?: string
  readonly timezone?: string
  readonly running: number
}

/** The person that paused or resumed a job, and the reason. */
export interface PauseInfo {
  by?: string
  reason?: string
  /** When the pause ends by itself. */
  until?: Date
}

/** How a job is paused. */
export interface PauseOptions {
  by?: string
  reason?: string
  /** When the pause ends by itself, or for how long it lasts. Default: until it is resumed. */
  until?: Date | number | string
  for?: Duration
}

/**
 * What a handler gets, and what events and hooks carry.
 *
 * All lengths are milliseconds. What costs something to make (id, signal, log) is made when it is touched.
 */
export interface Run<Data = unknown> {
  /** Unique to this run, sortable by time (UUID version 7, RFC 9562). */
  readonly id: string
  /** Idempotency key: the tick's id, so the same for every attempt and rerun. For a manual run its own id. */
  readonly key: string
  readonly job: Job
  readonly tick: Tick
  readonly cause: Cause
  /** It was asked for: its cause is `manual` or `retry`. */
  readonly requested: boolean
  /** The run of another job that this one follows. */
  readonly parent: Run | undefined
  /** The person or program that asked for a `manual` run, and the reason. */
  readonly asked: Asked | undefined
  /** What the run was asked with; for a scheduled run the job's `data` option. */
  readonly data: Data
  /** How long after its instant the tick was started. */
  readonly late: number
  /** 1 for the first attempt, 0 before it. */
  readonly attempt: number
  /** How often instances that died had begun the tick before: 0 for its first run. */
  readonly restarts: number
  /** Aborts on timeout, cancellation, shutdown, and when the lease is lost. Each attempt has its own. */
  readonly signal: AbortSignal
  /** The scheduler's logger with job, run id, tick and trace id on every line. */
  readonly log: Logger
  /** Rises from run to run of a job, with a lock plugin. Hand it to what you write to. */
  readonly fence: number | undefined
  /** How long the lock took to answer, in ms; undefined when it was not asked. */
  readonly claimedIn: number | undefined
  /** The process it runs in. */
  readonly instance: string
  /** Set by a tracing plugin. */
  traceId: string | undefined
  /** W3C trace context of the run, set by a tracing plugin. */
  traceparent: string | undefined
  /** Where its trace can be seen, set by a tracing plugin when the trace is recorded. */
  traceUrl: string | undefined

  readonly state: State
  readonly outcome: Outcome | undefined
  readonly reason: SkipReason | undefined
  /** The last error. Of a run that succeeded after retries too. */
  readonly error: unknown
  /** The error of each failed attempt, oldest first. */
  readonly errors: readonly unknown[]
  /** What the handler returned. */
  readonly result: unknown
  readonly startedAt: Date | undefined
  readonly endedAt: Date | undefined
  /** From the first attempt's start to the end. */
  readonly duration: number
  /** For a `missed` record that stands for many ticks: the instant up to which all were missed. */
  readonly until: Date | undefined

  /** The facts that the history keeps of it, besides how it ended. */
  readonly facts: RunFacts
  /** The lines of `run.log` that the history keeps. */
  readonly logLines: readonly LogLine[]

  /** Throws `ERR_ESCAPEMENT_LEASE_LOST` if another instance may have taken over. Cheap: no round trip. */
  assertHeld(): void
  /** Runs `fn` while nobody else holds `name`: in this process, or in the fleet with a lock plugin. */
  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>): Promise<T>
  /** Tasks in parallel: the first error cancels the others and is thrown when all have settled. */
  group(options?: GroupOptions): Group
  /** Tells listeners how far the work is: 0 to 1. */
  progress(fraction: number, note?: string): void
  /** Calls `fn` when the attempt is over, however it ended. Last registered first; awaited. */
  onCleanup(fn: () => unknown): void
  /** Ends the run as `cancelled`: aborts the signal and stops retrying. */
  cancel(reason?: string): void
  /** As plain data, for `res.json(run)`: what the history keeps of it. */
  toJSON(): RunRecord
}

/** Does the work. What it returns is the run's result; what it throws ends the run as `failed`. */
export type Handler<Data = unknown, Result = unknown> = (run: Run<Data>) => Maybe<Result>

/** Where handlers run. */
export interface Executor {
  execute(run: Run, handler: Handler): Maybe<unknown>
}

export type Missed = 'latest' | 'all' | 'skip'

export type Overlap = 'skip' | 'queue' | 'cancel-previous' | 'allow'

/** Job options as the chain reads them: checked, in milliseconds. */
export interface Policies {
  readonly missed: Missed
  readonly catchUpWindow: number
  readonly overlap: Overlap
  readonly retry: Retry | undefined
  readonly timeout: number | undefined
  readonly slow: number
  readonly spread: number
  readonly priority: number
  readonly maxQueued: number
  readonly blackout: Calendar | undefined
  readonly onAbandoned: 'record' | 'rerun'
  readonly onLockUnavailable: 'skip' | 'run'
  readonly executor: Executor | undefined
  readonly schema: Schema | undefined
  readonly keep: Keep
  readonly description: string | undefined
  readonly owner: string | undefined
  readonly runbook: string | undefined
  readonly group: string | undefined
  readonly role: string | undefined
  readonly formerly: string | undefined
}

/** What the history keeps of the runs of a job. */
export interface Keep {
  readonly data: boolean
  readonly result: boolean
  readonly logs: boolean
}

export interface Retry {
  readonly retries: number
  readonly retryIf: (error: unknown) => boolean
  /** Milliseconds before the given retry, from 1. */
  readonly delay: (retry: number, error: unknown) => number
}
