/** The ports: what a scheduler needs of the world, each replaceable by a plugin or an option. */
import type { PauseInfo } from './events.ts'
import type { Cause, Handler, Maybe, Outcome, Run, SkipReason, State } from './interfaces.ts'
import type { Job } from './job.ts'

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
}

/** Decides who in the fleet runs a tick, and keeps runs of one job from overlapping. */
export interface Lock {
  /**
   * Asks to run `run.key`. `lease`: whether no other run of the job may be under way.
   * Resolves in bounded time and does not reject: trouble is a refusal with `claim-unavailable`. After 30 s the
   * scheduler waits no longer; a claim that is granted later is finished as `skipped`.
   */
  claim(run: Run, options: { lease: boolean }): Maybe<Claim | Refusal>
  /**
   * How long a tick of the job is left to other instances, in ms after its instant (`at`, in ms): until then it costs
   * this one nothing. Asked when the tick is armed for soon or due, and again when that time is over. `now` is the
   * scheduler's time in ms, less the job's `spread`. Default 0. At most a minute from `now`; anything else counts as 0.
   */
  headStart?(job: Job, at: number, now: number): number
  /**
   * What is wrong with it now, in one line; undefined when nothing is. Shown by `scheduler.health()` as `degraded`.
   * A lock that has it writes its own lines when trouble begins and ends; for others the scheduler does.
   */
  trouble?(): string | undefined
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
  /**
   * Writes the end of the run. The claim itself stays, so that the tick is not run again. The run's outcome is decided
   * when it is called, whatever becomes of it; the run ends 5 s later at the latest.
   */
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
 *
 * A method that throws or rejects harms no run: the scheduler writes one line when it begins to fail and one when it
 * works again, and meanwhile `scheduler.health()` says so as `degraded`.
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
  /** What is wrong with it now that its methods do not tell, in one line; shown by `scheduler.health()` as `degraded`. */
  trouble?(): string | undefined
  readonly jobs?: JobStore
  readonly incidents?: IncidentStore
}

/** How far each job is decided, and which are paused. */
export interface JobStore {
  /**
   * Tells how the jobs stand, in their order. One that is new, or of another digest than is kept, is kept as
   * decided up to `now` (ms); a new one with its `paused`. What is decided further ahead of `now` than
   * `WATERMARK_AHEAD` was decided by a clock that was wrong, and is lowered to `now`.
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
