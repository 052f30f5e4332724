import type { AuditEntry, AuditQuery } from './audit.ts'
import type { Events } from './events.ts'
import type { FleetEvent, FleetEventQuery, Member } from './fleet.ts'
import type { Handler, Job, PauseInfo, PauseOptions } from './job.ts'
import type { Logger } from './logger.ts'
import type { JobOptions } from './options.ts'
import type { Asked, LogLine, RunQuery, RunRecord } from './record.ts'
import type { AcceptedRun, RetryRunOptions, RunOptions } from './request.ts'
import type { StartOptions } from './scheduler-options.ts'
import type { Schema } from './schema.ts'
import type { RunStats, StatsQuery } from './stats.ts'
import type { TriggerSpec } from './trigger.ts'
import type { Duration, Maybe } from './values.ts'

/** Jobs, and their life from `start()` to `stop()`. */
export interface Scheduler {
  readonly on: Events['on']
  readonly instance: string
  /** Where the scheduler writes its own lines. */
  readonly log: Logger
  /** The zone of cron strings that name none. */
  readonly timezone: string
  /** Where the scheduler is in its life. */
  readonly state: Life

  /**
   * Registers a job. The handler comes last, its options before it. Returns the job, which is also its undo.
   *
   * @param name Unique; the job's identity across instances. At most 200 characters.
   * @param trigger A cron string, a trigger, or several of them.
   * @throws ERR_ESCAPEMENT_JOB_NAME, _JOB_EXISTS, _CRON, _TIMEZONE, _TRIGGER, _OPTION, _DURATION, _HANDLER, _DATA
   *
   * @example
   * scheduler.job('clean-logs', '0 3 * * *', { timeout: '10m', retry: 3 }, async (run) => {
   *   await cleanLogs({ olderThan: '14d', signal: run.signal })
   * })
   */
  job<Data = unknown>(name: string, trigger: TriggerSpec, handler: Handler<Data>): Job<Data>
  job<Data, Input>(
    name: string,
    trigger: TriggerSpec,
    options: JobOptions<Data, Input> & { schema: Schema<Data, Input> },
    handler: Handler<Data>,
  ): Job<Data, Input>
  job<Data = unknown>(
    name: string,
    trigger: TriggerSpec,
    options: JobOptions<Data>,
    handler: Handler<Data>,
  ): Job<Data>

  /** All jobs, in the order of their registration. */
  jobs(): Job[]

  /** @throws ERR_ESCAPEMENT_JOB_UNKNOWN */
  get(name: string): Job

  has(name: string): boolean

  /**
   * Asks for a run of a job, besides its schedule. The promise resolves when the request is accepted; with `wait` it
   * resolves to the record when the run has ended: look at its `outcome`. The run waits for its turn while another run of
   * the job is under way, whatever `overlap` says, and while the lock is not available. A handler that fails does not make
   * the promise reject; with `wait` the promise rejects when the run was not begun, e.g. since a hook skipped it.
   *
   * @param data Cloned, and checked against the job's schema. At most 64 kB.
   * @throws ERR_ESCAPEMENT_JOB_UNKNOWN (404), _NOT_RUN (409), _DATA_TOO_LARGE (413), _DATA and _KEY_REUSED (422),
   *   _QUEUE_FULL (429), _STOPPED and _UNAVAILABLE (503), _OPTION. Each has its HTTP `status`.
   *
   * @example
   * const { id, durable } = await scheduler.run('daily-report', { userId: 7 }, { key: req.get('idempotency-key') })
   * res.status(202).json({ run: id, durable })
   */
  run<const Name extends string>(
    name: Name,
    data: DataOf<Name> | undefined,
    options: RunOptions & { wait: true },
  ): Promise<RunRecord>
  run<const Name extends string>(name: Name, data?: DataOf<Name>, options?: RunOptions): Promise<AcceptedRun>

  /**
   * Cancels a run, on whatever instance of the fleet: one that waits does not begin; the signal of one under way is aborted,
   * and it is not retried. It ends as `cancelled`.
   *
   * @param info The person or program that cancels it, and the reason: its error says them.
   * @throws ERR_ESCAPEMENT_RUN_UNKNOWN (404), _RUN_STATE (409), _UNAVAILABLE (503), _OPTION
   *
   * @example
   * const { id } = await scheduler.run('daily-report')
   * await scheduler.cancel(id, { by: 'ann', reason: 'wrong month' })
   */
  cancel(run: string, info?: Asked): Promise<void>

  /**
   * Runs an ended run again: with what it was asked with, or with the job's data. Its cause is `retry`, and it names the
   * run as `retryOf`.
   *
   * @throws ERR_ESCAPEMENT_RUN_UNKNOWN (404), _RUN_STATE and _INPUT_GONE (409), and what `run()` throws
   */
  retry(run: string, options?: RetryRunOptions): Promise<AcceptedRun>

  /** The run of this id, whether it waits, is under way or has ended. Undefined when it is not known, or not kept any more. */
  find(run: string): Promise<RunRecord | undefined>

  /**
   * Skips the ticks of a job until it is resumed; of all jobs without a name, also of those that are registered later. Runs
   * under way go on, and runs that are asked for take place. It is in force here at once, and in the whole fleet within a
   * second when the promise resolves.
   *
   * @throws ERR_ESCAPEMENT_JOB_UNKNOWN (404), _OPTION, _DURATION; _UNAVAILABLE (503) when it is in force on this instance
   *   only: the fleet gets it as soon as it can be reached.
   *
   * @example
   * await scheduler.pause('daily-report', { for: '1h', by: 'ann', reason: 'the source is being moved' })
   */
  pause(name?: string, options?: PauseOptions): Promise<void>

  resume(name?: string, info?: PauseInfo): Promise<void>

  /** The pause of all jobs: the person, the reason, and its end; undefined when they are not paused. */
  readonly paused: PauseInfo | undefined

  /** The instances of the fleet, the oldest first: this one only, where no plugin knows the others. */
  members(): Promise<Member[]>

  /** What has happened to instances in the last 30 days, newest first. */
  fleetEvents(query?: FleetEventQuery): Promise<FleetEvent[]>

  /** `shared`: pauses and cancels reach the other processes. `durable`: what is kept outlives this process. */
  readonly scope: { readonly shared: boolean; readonly durable: boolean }

  /** What people have paused, resumed, asked for, cancelled, run again and erased, newest first. */
  audit(query?: AuditQuery): Promise<AuditEntry[]>

  /** What is wrong now, as a plugin for alerts keeps it in the store. */
  incidents(): Promise<readonly Readonly<Record<string, unknown>>[]>

  /** Keeps an entry in the audit, for what is done besides the scheduler's methods. */
  noteAudit(entry: Omit<AuditEntry, 'id' | 'at' | 'instance'>): Promise<void>

  /**
   * Erases what is kept of a run, or of a job: its runs, counters, requests and incidents. Gives how many runs. The audit
   * keeps that it was done.
   */
  forget(what: Asked & ({ run: string } | { job: string })): Promise<number>

  /** Unregisters a job. Runs under way go on. */
  remove(name: string): void

  /** Runs `fn` while nobody else holds `name`: in this process, or in the fleet with a lock plugin. */
  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T>

  /** What happened, newest first. From the store plugin, or the last 10,000 runs of this process. */
  history(query?: RunQuery): Promise<RunRecord[]>

  /**
   * What was counted by hour or day, of all jobs or of each, and how long runs usually take. Counters outlive the records:
   * 30 days by hour, 400 by day.
   *
   * @throws ERR_ESCAPEMENT_OPTION
   */
  stats(query: StatsQuery): Promise<RunStats[]>

  /** The lines that a run has written with `run.log`, oldest first, also while it is under way. */
  logs(run: string): Promise<readonly LogLine[]>

  /** For readiness and liveness probes. */
  health(): Health

  /**
   * Starts the plugins, then the timetable. Calling it again changes nothing; after `stop()` it starts again.
   * Rejects when a plugin cannot start.
   *
   * @throws ERR_ESCAPEMENT_OPTION
   */
  start(options?: StartOptions): Promise<void>

  /**
   * Takes no new ticks, waits for the runs under way, aborts those that take longer than the grace, and
   * stops the plugins. Always ends: at most `grace + abort + 2 s` after the call.
   *
   * @param options `grace` for this stop, instead of `drain.grace`.
   */
  stop(options?: { grace?: Duration }): Promise<void>
}

/** What `scheduler.health()` tells. */
export interface Health {
  state: Life
  /** False when it was stopped. Never depends on a lock or a store: a restart does not mend them. */
  live: boolean
  /** Ticks are run, or nobody has started it yet: false while it is starting and from the drain on. */
  ready: boolean
  /** What is wrong with the lock, the store or the start, in one line each; empty when nothing is. */
  degraded: string[]
  /** How late the last tick started, in ms. */
  lag: number
  inFlight: number
  jobs: number
}

export type Life = 'idle' | 'starting' | 'running' | 'draining' | 'stopped'

/** Types of the data of jobs by name, for `scheduler.run(name, data)`: augment it. */
// biome-ignore lint/suspicious/noEmptyInterface: users fill it
export interface JobData {}

type DataOf<Name> = Name extends keyof JobData ? JobData[Name] : unknown
