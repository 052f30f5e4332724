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
import type { Events } from './events.ts'
import type { Group, GroupOptions } from './group.ts'
import type { Job } from './job.ts'
import type { JobDefaults } from './options.ts'
import type { Claim, Clock, Lock, Logger, RunRecord, Store } from './ports.ts'

export type * from './ports.ts'

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
  /** As plain data, for `res.json(run)`: what the history keeps of it. */
  toJSON(): RunRecord
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
  /** Policies of jobs for which neither they nor the scheduler's `defaults` say otherwise. */
  readonly defaults?: JobDefaults
  /** Called at every `scheduler.start()`, before the first tick, and awaited. */
  start?(host: Host): Maybe<void>
  /**
   * Called at every `scheduler.stop()`, after the runs have drained, and awaited until the stop's deadline. Also called
   * when a `start()` has ended that the scheduler has not waited for.
   */
  stop?(info: StopInfo): Maybe<void>
  /** Called once when the plugin is given to a scheduler, to subscribe to events. */
  attach?(host: Host): void
}

/** How a scheduler stops. */
export interface StopInfo {
  /** No run had to be aborted. */
  readonly clean: boolean
  /** Milliseconds that the scheduler waits for the plugin: what can be flushed in this time is to be flushed. */
  readonly deadline: number
}

/** What a plugin sees of its scheduler. */
export interface Host {
  /** Names this process among its fleet, e.g. `web-1:4711:k3xq9a`. */
  readonly instance: string
  /** The IANA zone of what names none. */
  readonly timezone: string
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
  /**
   * Lets the scheduler's wall time follow a better clock: `offset` ms are added to this machine's. What is no number,
   * or more than a day, is not followed: false.
   */
  adjustClock(offset: number): boolean
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
