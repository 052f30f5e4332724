/**
 * The words of Escapement, and the small interfaces behind them.
 *
 * - **Job**: a name, a trigger, a handler and its policies. The name is its identity across instances.
 * - **Trigger**: says when. One method: `next(after)`.
 * - **Tick**: one nominal instant of one job. It never changes: not by jitter, lateness or retries.
 * - **Run**: the execution of a tick, or of a manual request. It has attempts and ends in one outcome.
 * - **Hook**: a link of the chain around a run or an attempt, `(run, next) => …`, as in Koa.
 * - **Plugin**: brings hooks, or one of the ports below.
 * - **Claim**: the fleet's decision of who runs one tick. It outlives the run.
 * - **Lease**: a renewed hold that keeps two runs of one job from overlapping.
 */
import type { Events, PauseInfo } from './events.ts'
import type { Group, GroupOptions } from './group.ts'
import type { Job } from './job.ts'
import type { JobDefaults } from './options.ts'

/** A length of time: milliseconds, or `'250ms'`, `'90s'`, `'10m'`, `'1h30m'`, `'2d'`, `'1w'`. */
export type Duration = number | string

/** A value now or later. Links stay synchronous where they can: a promise costs more than a tick. */
export type Maybe<T> = T | Promise<T>

/** Says when a job is due. Nothing else: no state of runs, no clock. */
export interface Trigger {
  /** The first instant strictly after `after`, or undefined when there is none. Must not throw. */
  next(after: Date): Date | undefined
  /**
   * True for a schedule that follows elapsed time (`every`, `*`-crons): it carries on when the wall clock
   * is set back. Others wait until the clock has passed their last tick.
   */
  readonly wildcard?: boolean
  /** Other jobs whose runs it follows, see `after()`. */
  readonly follows?: readonly Follow[]
  /** How it is shown in logs and traces, e.g. the cron expression. */
  readonly expression?: string
  /** The IANA zone the expression is read in, if it has one. */
  readonly timezone?: string
}

/** Another job, and how its run must have ended. */
export interface Follow {
  readonly job: string
  readonly on: 'succeeded' | 'failed' | 'settled'
}

/** A set of instants: holidays, office hours, maintenance windows. */
export interface Calendar {
  includes(instant: Date): boolean
}

/** One nominal instant of one job. */
export interface Tick {
  /** `job@2026-11-20T01:00:00.000Z`; for an instant met again after the clock was set back, `…Z~2`. */
  readonly id: string
  readonly job: string
  readonly scheduledAt: Date
}

/** How a run ended. */
export type Outcome =
  | 'succeeded'
  | 'failed'
  | 'timed-out'
  | 'cancelled'
  | 'lease-lost'
  | 'abandoned'
  | 'missed'
  | 'skipped'

/** Where a run is on its way, its outcome at the end. */
export type State = 'due' | 'claimed' | 'running' | 'waiting-retry' | Outcome

/** Why a tick ended as `skipped`. `hook`: a plugin's hook returned without calling `next()`. */
export type SkipReason =
  | 'overlap'
  | 'paused'
  | 'blackout'
  | 'claimed-elsewhere'
  | 'claim-unavailable'
  | 'shutdown'
  | 'hook'

/** What made a run: its schedule, a request, a tick that was late, a claimer that died, or another job's run. */
export type Cause = 'schedule' | 'manual' | 'catch-up' | 'rerun' | 'after'

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
  readonly trigger: Cause
  /** The run of another job that this one follows. */
  readonly parent: Run | undefined
  /** What the run was asked with; for a scheduled run the job's `data` option. */
  readonly data: Data
  /** How long after its instant the tick was started. */
  readonly late: number
  /** 1 for the first attempt, 0 before it. */
  readonly attempt: number
  /** Which start of the tick: more than 1 when an instance that died had started it. */
  readonly start: number
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
}

/** Does the work. What it returns is the run's result; what it throws ends the run as `failed`. */
export type Handler<Data = unknown, Result = unknown> = (run: Run<Data>) => Maybe<Result>

/** A link of the chain. Calls `next()` once, and sees its failure as a rejection, as in Koa. */
export type Hook = (run: Run, next: () => Maybe<void>) => Maybe<void>

/** The links a plugin adds. */
export interface Hooks {
  /** In the async context of whoever asked for a manual run, before the run detaches from it. */
  readonly request?: (run: Run) => void
  /** Around a run that was claimed, all its attempts included. */
  readonly run?: Hook
  /** Around each attempt. */
  readonly attempt?: Hook
}

/** An extension. It only knows these types. */
export interface Plugin {
  readonly name: string
  readonly hooks?: Hooks
  readonly lock?: Lock
  readonly store?: Store
  readonly executor?: Executor
  /** Policies of jobs for which neither they nor the scheduler's `defaults` say otherwise. */
  readonly defaults?: JobDefaults
  /** Called at every `scheduler.start()`, before the first tick, and awaited. */
  start?(host: Host): Maybe<void>
  /**
   * Called at every `scheduler.stop()`, after the runs have drained, and awaited until the stop's deadline.
   * `clean`: no run had to be aborted.
   */
  stop?(info: { clean: boolean }): Maybe<void>
  /** Called once when the plugin is given to a scheduler, to subscribe to events. */
  attach?(host: Host): void
}

/** What a plugin sees of its scheduler. */
export interface Host {
  /** Names this process among its fleet, e.g. `web-1:4711:k3xq9a`. */
  readonly instance: string
  readonly clock: Clock
  readonly log: Logger
  readonly store: Store
  readonly on: Events['on']
  readonly emit: Events['emit']
  jobs(): Job[]
  job(name: string): Job | undefined
  /** Runs a tick again under a claim that was taken over from an instance that died. */
  rerun(tick: Tick, claim: Claim): void
  /** Ends a tick as `abandoned`, once in the fleet: its instance died and it is not run again. */
  abandon(tick: Tick, by: Abandoned): void
  /** Lets the scheduler's wall time follow a better clock: `offset` ms are added to this machine's. */
  adjustClock(offset: number): void
}

/** What is known of a run whose instance died. */
export interface Abandoned {
  /** The id of the run. */
  readonly id?: string
  readonly instance?: string
  readonly start?: number
  readonly fence?: number
  /** What had made it. Default `'schedule'`. */
  readonly trigger?: Cause
}

/** Wall and monotonic time, and the timers that follow them. All in milliseconds. */
export interface Clock {
  /** Wall time since the epoch. May jump. */
  now(): number
  /** Since an arbitrary start. Never jumps. */
  monotonic(): number
  setTimeout(callback: () => void, ms: number): Timer
  clearTimeout(timer: Timer): void
  /** Runs `callback` after pending I/O. */
  setImmediate(callback: () => void): void
}

/** A pending timer, as Node's or a virtual one. */
export interface Timer {
  ref?(): unknown
  unref?(): unknown
}

/** Where handlers run. */
export interface Executor {
  execute(run: Run, handler: Handler): Maybe<unknown>
  stop?(): Maybe<void>
}

/** Decides who in the fleet runs a tick, and keeps runs of one job from overlapping. */
export interface Lock {
  /**
   * Asks to run `run.key`. `lease`: whether no other run of the job may be under way.
   * Resolves in bounded time and does not reject: trouble is a refusal with `claim-unavailable`.
   */
  claim(run: Run, options: { lease: boolean }): Promise<Claim | Refusal>
  /** Runs `fn` while no other holder of `name` in the fleet does. `signal` aborts when the hold is lost. */
  exclusive?<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T>
}

/** The right to run one tick. */
export interface Claim {
  readonly granted: true
  /** Rises strictly from claim to claim of one job. Hand it to what you write to. */
  readonly fence?: number
  /** Which start of this tick this is: 1, or more for a rerun. */
  readonly start?: number
  /** True while no other instance can have taken over. Judged locally, on the monotonic clock. */
  held(): boolean
  /** Calls back once if the hold is lost. Returns its undo. */
  onLost(callback: (reason: Error) => void): () => void
  /** Writes the end of the run. The claim itself stays, so that the tick is not run again. */
  finish(outcome: Outcome): Promise<void>
}

export interface Refusal {
  readonly granted: false
  readonly reason: 'claimed-elsewhere' | 'claim-unavailable' | 'overlap'
  /** Who holds it, if known. */
  readonly by?: string
  readonly error?: Error
  /** The lock was reached and its answer is no: `onClaimError: 'run'` does not apply. */
  readonly final?: boolean
}

/**
 * What happened: history, watermarks, pauses. Only `record` and `runs` are asked of every store; one with
 * `jobs` is durable: ticks missed while no instance lived are caught up from it. Claims and leases are the
 * lock's; a plugin may bring both from one database.
 */
export interface Store {
  /**
   * A run reached its outcome. Called once a run; `toRecord(run)` makes plain data of it. What another
   * instance has taken over (`abandoned`, or a higher fence) is not overwritten. A promise resolves when the
   * record is kept.
   */
  record(run: Run): Maybe<void>
  /** Newest first. */
  runs(query?: RunQuery): Maybe<RunRecord[]>
  /** The first attempt begins: kept as `running`, so that a crash cannot hide it. */
  begin?(run: Run): Maybe<void>
  readonly jobs?: JobStore
  readonly incidents?: IncidentStore
}

/** How far each job is decided, and which are paused. */
export interface JobStore {
  /**
   * Tells how the jobs stand, in their order. One that is new, or of another digest than is kept, is kept as
   * decided up to `now` (ms); a new one with its `paused`.
   */
  enroll(jobs: readonly Enrolled[], now: number): Maybe<JobState[]>
  /** Every tick of the job up to `at` (ms) is decided. Called often: may be written later and together. */
  decided(job: string, at: number): void
  /** Keeps who paused a job and why; undefined when it was resumed. */
  pause(job: string, paused: PauseInfo | undefined): Maybe<void>
}

/** A job as its store is told of it. */
export interface Enrolled {
  readonly name: string
  /** Changes when the schedule does. */
  readonly digest: string
  readonly paused: PauseInfo | undefined
}

export interface JobState {
  /** Every tick up to here is decided, in ms. Undefined: new, or its schedule has changed. */
  readonly decided: number | undefined
  readonly paused: PauseInfo | undefined
}

/** Where incidents of alerts are kept: plain data, each under its key. */
export interface IncidentStore {
  /** All that are kept, or the one of this key. They may have gone through JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what else is in an incident is its owner's
  load(key?: string): Maybe<readonly any[]>
  /**
   * Keeps a copy under its `key`, if the kept one has the version before its own (for version 1: if none is
   * kept). False when not: another instance was faster.
   */
  save(incident: { readonly key: string; readonly version: number }): Maybe<boolean>
  /** Forgets the incident of this key if it has this version. False when it has not. */
  remove(key: string, version: number): Maybe<boolean>
}

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
  readonly trigger: Cause
  readonly state: State
  readonly reason: SkipReason | undefined
  readonly attempt: number
  /** Which start of the tick: more than 1 for a rerun. */
  readonly start: number
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

/** Writes a structured line: fields first, message second, as pino does. */
export type LogMethod = (fields: object | string, message?: string) => void

export interface Logger {
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
}
