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
  Scheduler,
  SchedulerOptions,
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

/** What the interface says is handed to the parts that do it. */
export class SchedulerFace implements Scheduler {
  readonly on: Events['on']
  readonly instance: string
  readonly log: Logger
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

  get state(): Life {
    return this.#lifecycle.state
  }

  job(
    name: string,
    trigger: TriggerSpec,
    // biome-ignore lint/suspicious/noExplicitAny: the overloads of the interface say what fits together
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

  jobs(): Job[] {
    return [...this.#parts.registry.all()]
  }

  get(name: string): Job {
    return this.#parts.registry.get(name)
  }

  has(name: string): boolean {
    return this.#parts.registry.has(name)
  }

  run(name: string, data: unknown, options: RunOptions & { wait: true }): Promise<RunRecord>
  run(name: string, data?: unknown, options?: RunOptions): Promise<AcceptedRun>
  run(name: string, data?: unknown, options?: RunOptions): Promise<AcceptedRun | RunRecord> {
    try {
      return this.#parts.controller.requestByName(name, data, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  cancel(run: string, info: Asked = {}): Promise<void> {
    return this.#parts.member.operations.cancel(run, info)
  }

  async retry(run: string, options: RetryRunOptions = {}): Promise<AcceptedRun> {
    const { operations, audit } = this.#parts.member
    const { by, reason } = options
    return audit.around({ action: 'retried', run, by, reason }, async () => {
      const record = await operations.find(run)
      if (record) return this.#parts.controller.retry(record, options)
      throw new EscapementError('ERR_ESCAPEMENT_RUN_UNKNOWN', `there is no run ${show(run)}`)
    })
  }

  find(run: string): Promise<RunRecord | undefined> {
    return this.#parts.member.operations.find(run)
  }

  pause(name?: string, options?: PauseOptions): Promise<void> {
    if (name !== undefined) this.get(name)
    return harmless(this.#parts.member.operations.pause(name, options ?? {}))
  }

  resume(name?: string, info?: PauseInfo): Promise<void> {
    if (name !== undefined) this.get(name)
    return harmless(this.#parts.member.operations.resume(name, info ?? {}))
  }

  get paused(): PauseInfo | undefined {
    return this.#parts.member.pauses.all
  }

  members(): Promise<Member[]> {
    return this.#parts.member.members()
  }

  fleetEvents(query: FleetEventQuery = {}): Promise<FleetEvent[]> {
    return this.#parts.member.events(query)
  }

  get scope(): { readonly shared: boolean; readonly durable: boolean } {
    return { shared: this.#parts.member.shared, durable: this.#engine.context.store.jobs !== undefined }
  }

  audit(query: AuditQuery = {}): Promise<AuditEntry[]> {
    return this.#parts.member.audit.list(query)
  }

  async incidents(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return readIncidents(this.#engine.context)
  }

  noteAudit(entry: Omit<AuditEntry, 'id' | 'at' | 'instance'>): Promise<void> {
    return this.#parts.member.audit.note(entry)
  }

  forget({ by, reason, ...what }: Asked & ({ run: string } | { job: string })): Promise<number> {
    return this.#parts.member.operations.forget(what, { by, reason })
  }

  remove(name: string): void {
    this.get(name).remove()
  }

  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T> {
    checkExclusive(name, fn, signal)
    return this.#engine.context.exclusive(name, fn, signal ?? new AbortController().signal)
  }

  async history(query?: RunQuery): Promise<RunRecord[]> {
    return readRuns(this.#engine.context, query)
  }

  async stats(query: StatsQuery): Promise<RunStats[]> {
    return readStats(this.#engine.context, query)
  }

  async logs(run: string): Promise<readonly LogLine[]> {
    return readLogs(this.#engine.context, run)
  }

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

  start(options: StartOptions = {}): Promise<void> {
    checkKeys(options, { keepAlive: 1, replaces: 1 } satisfies Record<keyof StartOptions, 1>, 'start option')
    flag('keepAlive', options.keepAlive ?? true)
    withMethod('replaces', options.replaces, 'jobs')
    withMethod('replaces', options.replaces, 'stop')
    this.#reminder.end()
    return this.#lifecycle.start(options)
  }

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
