import type { Executor, Keep, Missed, Overlap } from './job.ts'
import type { Schema } from './schema.ts'
import type { CalendarLike } from './trigger.ts'
import type { Duration } from './values.ts'

/** What a job can be told. Lengths of time are milliseconds or `'10m'`. */
export interface JobOptions<Data = unknown, Input = Data> {
  /** IANA zone its cron strings are read in. Default: the scheduler's, else the system's. */
  timezone?: string
  /** What cron strings do in a DST change. Default `'vixie'`. */
  dst?: 'vixie' | 'skip' | 'shift'
  /** Ticks found late: run the newest only, all in order, or none. Default `'latest'`. */
  missed?: Missed
  /** Ticks older than this are missed whatever the policy. Default 24 h. */
  catchUpWindow?: Duration
  /** A tick that is due while a run is under way. Default `'skip'`. */
  overlap?: Overlap
  /** Retries after the first attempt, or how. Default none. */
  retry?: number | RetryOptions
  /** Of each attempt. Aborts `run.signal`; then the attempt counts as timed out. Default none. */
  timeout?: Duration
  /** Tells listeners of a run that takes longer than this. Default 30 min. */
  slow?: Duration
  /** Starts up to this much later, always by the same amount, found from the job's name. Default 0. */
  spread?: Duration
  /** Under the scheduler's `concurrency`: each point is worth ten seconds of waiting. Default 0. */
  priority?: number
  /** Requests for a run that may wait for their turn: further ones are refused. Default 1,000. */
  maxQueued?: number
  /** Ticks in these instants are skipped. Zones as for cron strings, where the calendar names none. */
  blackout?: CalendarLike
  /** A run whose instance died: note it (at most once), or run its tick again (at least once). Default `'record'`. */
  onAbandoned?: 'record' | 'rerun'
  /** The lock cannot be reached: skip the tick, or run it unguarded. Default `'skip'`. */
  onLockUnavailable?: 'skip' | 'run'
  /** Where the handler runs. Default: in this thread. */
  executor?: Executor
  /** Checks what a run is asked with: zod, valibot, arktype, or any Standard Schema. */
  schema?: Schema<Data, Input>
  /** What scheduled runs get as `run.data`. */
  data?: Input
  /** What the history keeps: the data of a run, its result, its lines of `run.log`. Default all. */
  keep?: Partial<Keep>
  /** Starts paused, when the fleet meets it for the first time. */
  paused?: boolean
  /** It runs on instances whose scheduler has this role, or names none. Default: on all. */
  role?: string
  /** The name it had before: its history, its pause and how far it is decided go on under its new one. */
  formerly?: string
  /** Shown in events, alerts and health. */
  description?: string
  owner?: string
  runbook?: string
  group?: string
}

/** When and how often a failed attempt is tried again. */
export interface RetryOptions {
  /** Attempts after the first one. */
  retries: number
  /**
   * `'exponential'` doubles the delay each time; a function says the delay, and gets the retry's number, from 1. Default
   * `'exponential'`.
   */
  backoff?: 'exponential' | 'fixed' | ((retry: number, error: unknown) => Duration)
  /** Before the first retry. Default 1 s. */
  delay?: Duration
  /** What a delay grows to. Default 5 min, or `delay` if that is longer; none for a function. */
  maxDelay?: Duration
  /**
   * Takes a random part off each delay, so that many failures do not come back together: 0 to 1.
   * Default 0.5; 0 where `delay` or `backoff` is given.
   */
  jitter?: number
  /** False ends the run at once. Default: any error is tried again. */
  retryIf?: (error: unknown) => boolean
}

/** Options that a scheduler can set for all its jobs. */
export type JobDefaults = Pick<
  JobOptions,
  | 'timezone'
  | 'dst'
  | 'missed'
  | 'catchUpWindow'
  | 'overlap'
  | 'retry'
  | 'timeout'
  | 'slow'
  | 'spread'
  | 'blackout'
  | 'onAbandoned'
  | 'onLockUnavailable'
  | 'executor'
  | 'keep'
  | 'owner'
  | 'runbook'
>
