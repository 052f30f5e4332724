import { Engine } from '../engine/engine.ts'
import { harmless } from '../engine/requests.ts'
import { EscapementError, show } from '../errors.ts'
import { checkExclusive } from '../run/mutex.ts'
import { readIncidents, readLogs, readRuns, readStats } from '../store/query.ts'
import { isManual } from '../triggers/manual.ts'
import type {
  AcceptedRun,
  Asked,
  AuditEntry,
  AuditQuery,
  Duration,
  Events,
  FleetEvent,
  FleetEventQuery,
  Handler,
  Health,
  Job,
  JobData,
  JobOptions,
  Life,
  Logger,
  LogLine,
  Maybe,
  Member,
  PauseInfo,
  PauseOptions,
  RetryRunOptions,
  RunOptions,
  RunQuery,
  RunRecord,
  RunStats,
  SchedulerOptions,
  Schema,
  StartOptions,
  StatsQuery,
  TriggerSpec,
} from '../types/index.ts'
import { parseDuration } from '../util/duration.ts'
import { MAX_TIMER } from '../util/time.ts'
import { checkKeys, flag, withMethod } from '../util/validate.ts'
import { assemble, type Parts } from './assemble.ts'
import { watchEndOfProcess } from './end-of-process.ts'
import { Lifecycle } from './lifecycle.ts'
import { parseSettings } from './options.ts'
import { createHost } from './plugin-host.ts'
import { Reminder } from './reminder.ts'
import { systemClock } from './system-clock.ts'

type DataOf<Name> = Name extends keyof JobData ? JobData[Name] : unknown

/** Makes a scheduler. It does nothing until it is started: by an adapter's middleware, or by `start()`. */
export function createScheduler(options: SchedulerOptions = {}): Scheduler {
  return new Scheduler(options)
}

/** Jobs, and their life from `start()` to `stop()`. */
export class Scheduler {
  readonly on: Events['on']
  readonly instance: string
  /** Where the scheduler writes its own lines. */
  readonly log: Logger
  /** The zone of cron strings that name none. */
  readonly timezone: string

  readonly #engine: Engine
  readonly #parts: Parts
  readonly #lifecycle: Lifecycle
  readonly #grace: number
  readonly #reminder: Reminder

  /** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION, ERR_ESCAPEMENT_PLUGIN */
  constructor(options: SchedulerOptions = {}) {
    const settings = parseSettings(options)
    const { plugins, timezone, zoneProblem } = settings
    const engine = new Engine(settings)
    const { instance, log, clock, events } = engine.context
    this.instance = instance
    this.log = log
    this.timezone = timezone
    this.on = events.on
    this.#engine = engine
    this.#grace = settings.grace
    const parts = assemble(engine, settings, () => this.state)
    const { registry, dispatcher } = parts
    const host = createHost({ engine, registry, timezone, onClockSet: () => dispatcher.clockSet() })
    this.#parts = parts
    this.#lifecycle = new Lifecycle({ ...parts, engine, plugins, host, zoneProblem })
    this.#reminder = new Reminder(clock, log)
    if (clock === systemClock) watchEndOfProcess(engine.context)
    for (const plugin of plugins.all) plugin.setup?.(host)
  }

  /** Where the scheduler is in its life. */
  get state(): Life {
    return this.#lifecycle.state
  }

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
  job(
    name: string,
    trigger: TriggerSpec,
    // biome-ignore lint/suspicious/noExplicitAny: the overloads above say what fits together
    optionsOrHandler: JobOptions<any, any> | Handler<any>,
    // biome-ignore lint/suspicious/noExplicitAny: as above
    maybeHandler?: Handler<any>,
    // biome-ignore lint/suspicious/noExplicitAny: as above
  ): Job<any, any> {
    const job = this.#parts.registry.add(name, trigger, optionsOrHandler, maybeHandler)
    this.#parts.member.pauses.adopt(job)
    this.#parts.dispatcher.add(job)
    this.#reminder.wait(this.#ticking)
    this.#engine.context.events.emit('added', job)
    return job
  }

  /** All jobs, in the order of their registration. */
  jobs(): Job[] {
    return [...this.#parts.registry.all()]
  }

  /** @throws ERR_ESCAPEMENT_JOB_UNKNOWN */
  get(name: string): Job {
    return this.#parts.registry.get(name)
  }

  has(name: string): boolean {
    return this.#parts.registry.has(name)
  }

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
  run(name: string, data?: unknown, options?: RunOptions): Promise<AcceptedRun | RunRecord> {
    try {
      return this.#parts.controller.requestByName(name, data, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

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
  cancel(run: string, info: Asked = {}): Promise<void> {
    return this.#parts.member.operations.cancel(run, info)
  }

  /**
   * Runs an ended run again: with what it was asked with, or with the job's data. Its cause is `retry`, and it names the
   * run as `retryOf`.
   *
   * @throws ERR_ESCAPEMENT_RUN_UNKNOWN (404), _RUN_STATE and _INPUT_GONE (409), and what `run()` throws
   */
  async retry(run: string, options: RetryRunOptions = {}): Promise<AcceptedRun> {
    const { operations, audit } = this.#parts.member
    const { by, reason } = options
    return audit.around({ action: 'retried', run, by, reason }, async () => {
      const record = await operations.find(run)
      if (record) return this.#parts.controller.retry(record, options)
      throw new EscapementError('ERR_ESCAPEMENT_RUN_UNKNOWN', `there is no run ${show(run)}`)
    })
  }

  /** The run of this id, whether it waits, is under way or has ended. Undefined when it is not known, or not kept any more. */
  find(run: string): Promise<RunRecord | undefined> {
    return this.#parts.member.operations.find(run)
  }

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
  pause(name?: string, options?: PauseOptions): Promise<void> {
    if (name !== undefined) this.get(name)
    return harmless(this.#parts.member.operations.pause(name, options ?? {}))
  }

  resume(name?: string, info?: PauseInfo): Promise<void> {
    if (name !== undefined) this.get(name)
    return harmless(this.#parts.member.operations.resume(name, info ?? {}))
  }

  /** The pause of all jobs: the person, the reason, and its end; undefined when they are not paused. */
  get paused(): PauseInfo | undefined {
    return this.#parts.member.pauses.all
  }

  /** The instances of the fleet, the oldest first: this one only, where no plugin knows the others. */
  members(): Promise<Member[]> {
    return this.#parts.member.members()
  }

  /** What has happened to instances in the last 30 days, newest first. */
  fleetEvents(query: FleetEventQuery = {}): Promise<FleetEvent[]> {
    return this.#parts.member.events(query)
  }

  /** `shared`: pauses and cancels reach the other processes. `durable`: what is kept outlives this process. */
  get scope(): { readonly shared: boolean; readonly durable: boolean } {
    return { shared: this.#parts.member.shared, durable: this.#engine.context.store.jobs !== undefined }
  }

  /** What people have paused, resumed, asked for, cancelled, run again and erased, newest first. */
  audit(query: AuditQuery = {}): Promise<AuditEntry[]> {
    return this.#parts.member.audit.list(query)
  }

  /** What is wrong now, as a plugin for alerts keeps it in the store. */
  async incidents(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return readIncidents(this.#engine.context)
  }

  /** Keeps an entry in the audit, for what is done besides the scheduler's methods. */
  noteAudit(entry: Omit<AuditEntry, 'id' | 'at' | 'instance'>): Promise<void> {
    return this.#parts.member.audit.note(entry)
  }

  /**
   * Erases what is kept of a run, or of a job: its runs, counters, requests and incidents. Gives how many runs. The audit
   * keeps that it was done.
   */
  forget({ by, reason, ...what }: Asked & ({ run: string } | { job: string })): Promise<number> {
    return this.#parts.member.operations.forget(what, { by, reason })
  }

  /** Unregisters a job. Runs under way go on. */
  remove(name: string): void {
    this.get(name).remove()
  }

  /** Runs `fn` while nobody else holds `name`: in this process, or in the fleet with a lock plugin. */
  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T> {
    checkExclusive(name, fn, signal)
    return this.#engine.context.exclusive(name, fn, signal ?? new AbortController().signal)
  }

  /** What happened, newest first. From the store plugin, or the last 10,000 runs of this process. */
  async history(query?: RunQuery): Promise<RunRecord[]> {
    return readRuns(this.#engine.context, query)
  }

  /**
   * What was counted by hour or day, of all jobs or of each, and how long runs usually take. Counters outlive the records:
   * 30 days by hour, 400 by day.
   *
   * @throws ERR_ESCAPEMENT_OPTION
   */
  async stats(query: StatsQuery): Promise<RunStats[]> {
    return readStats(this.#engine.context, query)
  }

  /** The lines that a run has written with `run.log`, oldest first, also while it is under way. */
  async logs(run: string): Promise<readonly LogLine[]> {
    return readLogs(this.#engine.context, run)
  }

  /** For readiness and liveness probes. */
  health(): Health {
    const { lag, context } = this.#engine
    const { state, failure } = this.#lifecycle
    return {
      state,
      live: state !== 'stopped' || failure !== undefined,
      ready: state === 'running' || state === 'idle',
      degraded: [...(failure === undefined ? [] : [failure]), ...context.degraded],
      lag,
      inFlight: context.inFlight.size,
      jobs: this.#parts.registry.size,
    }
  }

  /**
   * Starts the plugins, then the timetable. Calling it again changes nothing; after `stop()` it starts again.
   * Rejects when a plugin cannot start.
   *
   * @throws ERR_ESCAPEMENT_OPTION
   */
  start(options: StartOptions = {}): Promise<void> {
    checkKeys(options, { keepAlive: 1, replaces: 1 } satisfies Record<keyof StartOptions, 1>, 'start option')
    flag('keepAlive', options.keepAlive ?? true)
    withMethod('replaces', options.replaces, 'jobs')
    withMethod('replaces', options.replaces, 'stop')
    this.#reminder.end()
    return this.#lifecycle.start(options)
  }

  /**
   * Takes no new ticks, waits for the runs under way, aborts those that take longer than the grace, and
   * stops the plugins. Always ends: at most `grace + abort + 2 s` after the call.
   *
   * @param options `grace` for this stop, instead of `drain.grace`.
   */
  stop(options: { grace?: Duration } = {}): Promise<void> {
    checkKeys(options, { grace: 1 }, 'stop option')
    const { grace } = options
    return this.#lifecycle.stop(
      grace === undefined ? this.#grace : parseDuration(grace, 'grace', { min: 0, max: MAX_TIMER }),
    )
  }

  /** How many jobs have ticks. */
  readonly #ticking = () =>
    [...this.#parts.registry.all()].filter(({ trigger }) => !isManual(trigger) && !trigger.follows).length
}
