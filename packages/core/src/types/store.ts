import type { AuditStore } from './audit.ts'
import type { PauseInfo, Run } from './job.ts'
import type { LogLine, RunQuery, RunRecord } from './record.ts'
import type { RequestStore } from './request.ts'
import type { RunCounts, StatsQuery } from './stats.ts'
import type { Maybe } from './values.ts'

/**
 * What happened: history, counters, watermarks. Only `record` and `runs` are asked of every store; one with
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
   *
   * A tick that was skipped for the same reason as the newest record of its job is counted in that record (`until`,
   * `count`), once in the fleet.
   */
  record(run: Run): Maybe<void>
  /** Newest first. */
  runs(query?: RunQuery): Maybe<RunRecord[]>
  /** The first attempt begins: kept as `running`, so that a crash cannot hide it. */
  begin?(run: Run): Maybe<void>
  /**
   * The handler has written lines with `run.log`, or said how far it is. Called at most once a second for a run under
   * way; `record()` brings all of it again.
   */
  update?(run: Run): Maybe<void>
  /** The lines that a run has written with `run.log`, oldest first. */
  logs?(run: string): Maybe<LogLine[]>
  /** Counters, the oldest hour or day first. Every run that is recorded counts once. */
  stats?(query: StatsQuery): Maybe<RunCounts[]>
  /** Erases what is kept of a run, or of a job with its counters, requests and incidents. Gives how many runs. */
  forget?(what: { readonly run: string } | { readonly job: string }): Maybe<number>
  /** What is wrong with it now that its methods do not tell, in one line; shown by `scheduler.health()` as `degraded`. */
  trouble?(): string | undefined
  readonly jobs?: JobStore
  /** Where requests for runs wait. Without it they wait in this process. */
  readonly requests?: RequestStore
  readonly incidents?: IncidentStore
  readonly audit?: AuditStore
}

/** How far each job is decided. */
export interface JobStore {
  /**
   * Tells how the jobs stand, in their order. One that is new, or of another digest than is kept, is kept as
   * decided up to `now` (ms), and so is one that was paused when it was last enrolled or is now. What was kept under its `formerly` is its own from then on. What is decided further ahead of `now` than
   * `WATERMARK_AHEAD` was decided by a clock that was wrong, and is lowered to `now`.
   */
  enroll(jobs: readonly Enrolled[], now: number): Maybe<JobState[]>
  /** Every tick of the job up to `at` (ms) is decided. Called often: may be written later and together. */
  decided(job: string, at: number): void
}

/** What a store learns about a job. */
export interface Enrolled {
  readonly name: string
  /** Changes when the schedule does. */
  readonly digest: string
  /** The name it had before. */
  readonly formerly: string | undefined
  /** The job is paused now: the store does not catch up its ticks within a pause. */
  readonly paused: PauseInfo | undefined
}

export interface JobState {
  /** Every tick up to here is decided, in ms. Undefined: new, or its schedule has changed. */
  readonly decided: number | undefined
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
