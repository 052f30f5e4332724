import { Dispatch } from '../engine/dispatcher.ts'
import { drain } from '../engine/drain.ts'
import { Engine } from '../engine/engine.ts'
import { harmless, notRun } from '../engine/requests.ts'
import { EscapementError } from '../errors.ts'
import { copyData, requestedData } from '../jobs/job-data.ts'
import { type JobEntry, type Keeper, parseRunOptions } from '../jobs/job-entry.ts'
import { Registry } from '../jobs/registry.ts'
import { detached } from '../run/context.ts'
import { checkExclusive } from '../run/mutex.ts'
import { parseQuery } from '../store/query.ts'
import { isManual } from '../triggers/manual.ts'
import type {
  Duration,
  Events,
  Handler,
  Health,
  Host,
  Job,
  JobData,
  JobOptions,
  Life,
  Logger,
  Maybe,
  PauseInfo,
  Replaced,
  Run,
  RunOptions,
  RunQuery,
  RunRecord,
  SchedulerOptions,
  Schema,
  StartOptions,
  TriggerSpec,
} from '../types/index.ts'
import { describe } from '../util/describe.ts'
import { parseDuration } from '../util/duration.ts'
import { isPromise } from '../util/promise.ts'
import { MAX_TIMER, unlessAborted, within } from '../util/time.ts'
import { checkKeys, flag, withMethod } from '../util/validate.ts'
import { parseSettings } from './options.ts'
import { createHost } from './plugin-host.ts'
import type { Plugins } from './plugins.ts'
import { Reminder } from './reminder.ts'
import { siblings } from './sibling-processes.ts'
import { watchLooseEnds } from './unhandled-errors.ts'

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
  /** Where the scheduler is in its life. */
  state: Life = 'idle'

  readonly #engine: Engine
  readonly #plugins: Plugins
  readonly #registry: Registry
  readonly #dispatch: Dispatch
  readonly #host: Host
  readonly #grace: number
  readonly #zoneProblem: string | undefined
  readonly #reminder: Reminder
  #unwatch: () => void = () => {}
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  /** Ends the wait for a start. */
  #halt = new AbortController()
  /** Why the last start has failed. */
  #failure: string | undefined

  /** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION, ERR_ESCAPEMENT_PLUGIN */
  constructor(options: SchedulerOptions = {}) {
    const settings = parseSettings(options)
    const engine = new Engine(settings)
    this.#engine = engine
    this.#plugins = settings.plugins
    this.#grace = settings.grace
    this.instance = settings.instance
    this.log = engine.log
    this.timezone = settings.timezone
    this.#zoneProblem = settings.zoneProblem
    this.on = engine.events.on
    this.#registry = new Registry(engine, this.#keeper, settings)
    this.#dispatch = new Dispatch(engine, this.#registry)
    this.#host = createHost(engine, this.#registry, settings.timezone)
    this.#reminder = new Reminder(engine.clock, engine.log)
    for (const plugin of this.#plugins.all) plugin.attach?.(this.#host)
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
    const job = this.#registry.add(name, trigger, optionsOrHandler, maybeHandler)
    this.#dispatch.add(job)
    this.#reminder.wait(this.#ticking)
    this.#engine.events.emit('added', job)
    return job
  }

  /** All jobs, in the order of their registration. */
  jobs(): Job[] {
    return [...this.#registry.all()]
  }

  /** @throws ERR_ESCAPEMENT_JOB_UNKNOWN */
  get(name: string): Job {
    return this.#registry.get(name)
  }

  has(name: string): boolean {
    return this.#registry.has(name)
  }

  /**
   * Runs a job now, beside its schedule. Resolves when the run has begun or waits for its turn, with `wait` when it has
   * ended: look at `run.outcome`. It does not reject for a handler that fails. It rejects when the run was not begun,
   * e.g. since another one is under way and the job's `overlap` is `'skip'`.
   *
   * @param data Cloned, and checked against the job's schema. At most 64 kB.
   * @throws ERR_ESCAPEMENT_JOB_UNKNOWN (404), _NOT_RUN (409), _DATA_TOO_LARGE (413), _DATA (422), _QUEUE_FULL (429),
   *   _STOPPED and _UNAVAILABLE (503), _OPTION. Each has its HTTP `status`.
   *
   * @example
   * const run = await scheduler.run('daily-report', { userId: 7 })
   * res.status(202).json({ run: run.id })
   */
  run<const Name extends string>(name: Name, data?: DataOf<Name>, options?: RunOptions): Promise<Run> {
    try {
      return this.get(name).run(data, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Skips the ticks of a job until it is resumed. Runs under way go on. */
  pause(name: string, info?: PauseInfo): void {
    this.get(name).pause(info)
  }

  resume(name: string, info?: PauseInfo): void {
    this.get(name).resume(info)
  }

  /** Unregisters a job. Runs under way go on. */
  remove(name: string): void {
    this.get(name).remove()
  }

  /** Runs `fn` while nobody else holds `name`: in this process, or in the fleet with a lock plugin. */
  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T> {
    checkExclusive(name, fn, signal)
    return this.#engine.exclusive(name, fn, signal ?? new AbortController().signal)
  }

  /** What happened, newest first. From the store plugin, or the last 1,000 runs of this process. */
  async history(query?: RunQuery): Promise<RunRecord[]> {
    return this.#engine.store.runs(parseQuery(query))
  }

  /** For readiness and liveness probes. */
  health(): Health {
    const { inFlight, lag } = this.#engine
    return {
      state: this.state,
      live: this.state !== 'stopped' || this.#failure !== undefined,
      ready: this.state === 'running' || this.state === 'idle',
      degraded: [...(this.#failure === undefined ? [] : [this.#failure]), ...this.#engine.degraded],
      lag,
      inFlight: inFlight.length,
      jobs: this.#registry.size,
    }
  }

  /**
   * Starts the plugins, then the timetable. Calling it again changes nothing; after `stop()` it starts anew.
   * Rejects when a plugin cannot start.
   *
   * @throws ERR_ESCAPEMENT_OPTION
   */
  start(options: StartOptions = {}): Promise<void> {
    checkKeys(options, { keepAlive: 1, replaces: 1 } satisfies Record<keyof StartOptions, 1>, 'start option')
    flag('keepAlive', options.keepAlive ?? true)
    withMethod('replaces', options.replaces, 'jobs')
    withMethod('replaces', options.replaces, 'stop')
    if (this.#stopping) return this.#stopping.then(() => this.start(options))
    this.#reminder.end()
    if (!this.#starting) this.#dispatch.keepAlive = options.keepAlive ?? true
    this.#starting ??= detached(() => this.#start(options.replaces))
    return this.#starting
  }

  async #start(replaced?: Replaced): Promise<void> {
    const halt = new AbortController()
    this.#halt = halt
    this.state = 'starting'
    try {
      this.#dispatch.check()
      await unlessAborted(this.#open(halt.signal, replaced), halt.signal)
    } catch (error) {
      this.#starting = undefined
      if (!halt.signal.aborted) {
        this.state = 'stopped'
        this.#failure = `the scheduler cannot start: ${describe(error).message}`
        this.#engine.log.error({ error }, 'the scheduler cannot start')
      }
      throw error
    }
    this.#failure = undefined
    this.#unwatch = watchLooseEnds()
    this.state = 'running'
    this.#announce()
    const { timezone, instance } = this
    if (this.#zoneProblem) this.#engine.log.warn({ timezone }, this.#zoneProblem)
    const one = this.#plugins.lock ? undefined : siblings()
    if (one)
      this.#engine.log.warn(
        { instance },
        `this process is ${one}: without a lock plugin each runs every tick`,
      )
    this.#engine.events.emit('start')
  }

  /** One line, on the default console as well. */
  #announce(): void {
    const { timezone, instance } = this
    let next = Infinity
    for (const job of this.#registry.all()) if (job.slot && job.at < next) next = job.at
    const fields = {
      jobs: this.#registry.size,
      timezone,
      next: Number.isFinite(next) ? new Date(next).toISOString() : 'none',
      lock: this.#plugins.lock ? 'yes' : 'no',
      instance,
    }
    this.#engine.userLog.info(fields, 'scheduler started')
  }

  /**
   * Takes no new ticks, waits for the runs under way, aborts those that take longer than the grace, and
   * stops the plugins. Always ends: at most `grace + abort + 2 s` after the call.
   *
   * @param options `grace` for this stop, instead of `drain.grace`.
   */
  stop(options: { grace?: Duration } = {}): Promise<void> {
    checkKeys(options, { grace: 1 }, 'stop option')
    if (!this.#starting) return Promise.resolve()
    const grace =
      options.grace === undefined
        ? this.#grace
        : parseDuration(options.grace, 'grace', { min: 0, max: MAX_TIMER })
    this.#stopping ??= detached(() => this.#stop(grace)).finally(() => {
      this.#stopping = undefined
      this.#starting = undefined
    })
    return this.#stopping
  }

  async #open(halt: AbortSignal, replaced: Replaced | undefined): Promise<void> {
    await this.#plugins.start(this.#host, halt, this.#report)
    if (!halt.aborted) await this.#dispatch.open(replaced)
  }

  async #stop(grace: number): Promise<void> {
    const engine = this.#engine
    const deadline = engine.clock.monotonic() + grace + engine.abortGrace + 2000
    const left = () => Math.max(0, deadline - engine.clock.monotonic())
    if (this.state === 'starting') await this.#endStart()
    if (this.state !== 'running' && this.state !== 'starting') return
    this.state = 'draining'
    this.#dispatch.close()
    engine.events.emit('drain')
    const clean = await drain(engine, Math.max(0, left() - engine.abortGrace - 2000))
    const stopped = this.#plugins.stop({ clean, deadline: left() }, this.#report)
    if (!(await within(engine.clock, stopped, left()))) {
      engine.log.warn(
        { pending: this.#plugins.pending },
        'the scheduler stops without waiting for its plugins any longer',
      )
    }
    this.#unwatch()
    this.state = 'stopped'
    engine.log.info({ clean }, 'scheduler stopped')
    engine.events.emit('stop', { clean })
  }

  /** Waits a little for a start under way, then goes on without it. */
  async #endStart(): Promise<void> {
    const { clock, abortGrace, log } = this.#engine
    const starting = this.#starting ?? Promise.resolve()
    if (await within(clock, starting, abortGrace)) return
    const { pending } = this.#plugins
    log.warn({ pending }, 'the scheduler is stopped while it is starting')
    const where = pending.join(', ') || 'the store'
    const message = `the scheduler was stopped while it was starting: ${where} had not ended`
    this.#halt.abort(new EscapementError('ERR_ESCAPEMENT_STOPPED', message))
  }

  /** How many jobs have ticks. */
  readonly #ticking = () =>
    [...this.#registry.all()].filter(({ trigger }) => !isManual(trigger) && !trigger.follows).length

  readonly #report = (error: unknown, source: string) => this.#engine.report(error, { source })

  async #request(job: JobEntry, given: unknown, options: RunOptions | undefined): Promise<Run> {
    const { name, policies } = job
    const wait = parseRunOptions(job, given, options)
    const { data, bytes } = copyData(name, given)
    this.#checkOpen(name)
    const checked = requestedData(name, policies.schema, data)
    const ready = isPromise(checked) ? await checked : checked
    // The answer of the schema may have taken its time.
    this.#checkOpen(name)
    const run = this.#engine.request(job, ready, bytes)
    await (wait ? run.settled : run.answered)
    if (run.ended && run.attempt === 0) throw notRun(run)
    return run
  }

  /** @throws ERR_ESCAPEMENT_STOPPED */
  #checkOpen(job: string): void {
    if (this.state !== 'draining' && this.state !== 'stopped') return
    throw new EscapementError('ERR_ESCAPEMENT_STOPPED', `the scheduler is ${this.state}: ${job} is not run`)
  }

  async #keepPause(job: JobEntry): Promise<void> {
    try {
      await this.#engine.store.jobs?.pause(job.name, job.paused)
      this.#engine.troubles.works('store.jobs')
    } catch (error) {
      this.#engine.storeFailed('store.jobs', error, `that ${job.name} is paused or resumed is not kept`)
    }
  }

  readonly #keeper: Keeper = {
    request: (job, data, options) => harmless(this.#request(job, data, options)),
    remove: (job) => {
      if (!this.#registry.delete(job)) return
      this.#dispatch.remove(job)
      this.#engine.events.emit('removed', job)
    },
    setPaused: (job, paused, info) => {
      if (!paused === !job.paused) return
      job.paused = paused
      this.#engine.log.info({ job: job.name, ...info }, `${job.name} ${paused ? 'paused' : 'resumed'}`)
      void this.#keepPause(job)
      this.#engine.events.emit(paused ? 'paused' : 'resumed', job, info)
    },
  }
}
