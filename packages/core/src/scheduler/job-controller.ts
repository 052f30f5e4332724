import type { AskedRuns } from '../engine/asked-runs.ts'
import type { Dispatcher } from '../engine/dispatcher.ts'
import type { Engine } from '../engine/engine.ts'
import { harmless, notRun } from '../engine/requests.ts'
import { EscapementError, show } from '../errors.ts'
import { copyData, requestedData } from '../jobs/job-data.ts'
import type { JobController, JobEntry } from '../jobs/job-entry.ts'
import type { Registry } from '../jobs/registry.ts'
import { parseAsked, parseRunOptions } from '../jobs/run-options.ts'
import type {
  AcceptedRun,
  Asked,
  Life,
  Maybe,
  PauseInfo,
  RunOptions,
  RunRecord,
  RunRequest,
} from '../types/index.ts'
import { serial, timeOrderedId } from '../util/ids.ts'
import { isPromise } from '../util/promise.ts'
import { answer } from '../util/time.ts'

/** How long a request waits for the answer of a schema, in ms. */
const SCHEMA_TIMEOUT_MS = 30_000

/** How many requests may wait for a job that only another instance has. */
const MAX_QUEUED = 1000

export interface ControllerParts {
  readonly engine: Engine
  readonly registry: () => Registry
  readonly dispatcher: () => Dispatcher
  readonly asked: () => AskedRuns
  readonly state: () => Life
  /** The zone in which local times are read. */
  readonly timezone: string
}

/** What jobs do through their scheduler: run on request, pause, resume, be removed. */
export class SchedulerJobs implements JobController {
  readonly #parts: ControllerParts

  constructor(parts: ControllerParts) {
    this.#parts = parts
  }

  request(job: JobEntry, data: unknown, options: RunOptions | undefined): Promise<AcceptedRun | RunRecord> {
    return harmless(this.#request(job.name, job, [data, options]))
  }

  /** Asks for a run of a job that this instance may not have. */
  requestByName(
    name: string,
    data: unknown,
    options: RunOptions | undefined,
  ): Promise<AcceptedRun | RunRecord> {
    const job = this.#parts.registry().find(name)
    // It throws for a job that nobody has.
    if (!job && !this.#parts.asked().store.durable) this.#parts.registry().get(name)
    return harmless(this.#request(name, job, [data, options]))
  }

  /** Cancels a run that is under way or waits in this process. */
  async cancel(id: string, info: Asked): Promise<void> {
    const { by, reason } = parseAsked(info, 'cancel option')
    const { inFlight } = this.#parts.engine.context
    const message = `cancelled${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`
    const error = new EscapementError('ERR_ESCAPEMENT_CANCELLED', message)
    for (const run of inFlight) if (run.id === id) return run.abort(error)
    if (this.#parts.asked().cancel(id, error)) return
    const unknown = `no run ${show(id)} is under way or waits in this process`
    throw new EscapementError('ERR_ESCAPEMENT_RUN_UNKNOWN', unknown)
  }

  /** The data of a request that another instance has accepted. */
  async checked(job: JobEntry, data: unknown): Promise<unknown> {
    return this.#checked(job, data)
  }

  remove(job: JobEntry): void {
    if (!this.#parts.registry().delete(job)) return
    this.#parts.dispatcher().remove(job)
    this.#parts.engine.context.events.emit('removed', job)
  }

  setPaused(job: JobEntry, paused: PauseInfo | undefined, info: PauseInfo): void {
    if (!paused === !job.paused) return
    const { log, events } = this.#parts.engine.context
    job.paused = paused
    log.info({ job: job.name, ...info }, `${job.name} ${paused ? 'paused' : 'resumed'}`)
    void this.#keepPause(job)
    events.emit(paused ? 'paused' : 'resumed', job, info)
  }

  async #request(
    name: string,
    job: JobEntry | undefined,
    [given, options]: [data: unknown, options: RunOptions | undefined],
  ): Promise<AcceptedRun | RunRecord> {
    const { engine, timezone } = this.#parts
    const { data, bytes } = copyData(name, given)
    const now = engine.context.now()
    const { wait, key, at, expires, asked } = parseRunOptions(options, { job, data: given, now, timezone })
    this.#checkOpen(name)
    const checked = job && this.#checked(job, data)
    // At once where that can be: a request just before the stop is run.
    const ready = isPromise(checked) ? await checked : checked
    // The answer of the schema may have taken its time.
    this.#checkOpen(name)
    const id = timeOrderedId(engine.context.now(), serial())
    const request = { id, job: name, at, expires, data, key, asked }
    const accepted = await this.#accept(job, request, { ready, bytes })
    if (!wait) return accepted
    const record = await accepted.settled
    if (record.attempt === 0 && record.outcome !== 'abandoned' && record.outcome !== 'failed')
      throw notRun(record)
    return record
  }

  async #accept(
    job: JobEntry | undefined,
    request: RunRequest,
    { ready, bytes }: { ready: unknown; bytes: number },
  ): Promise<AcceptedRun> {
    const { engine } = this.#parts
    const asked = this.#parts.asked()
    const run = job && engine.ask(job, request, bytes)
    if (run) run.lazy.data = ready
    try {
      const id = await asked.accept(request, run, job?.policies.maxQueued ?? MAX_QUEUED)
      const own = id === request.id ? run : undefined
      if (run && !own) engine.discard(run)
      return new Accepted(id, request, asked.store.durable, () => asked.settled(id, own))
    } catch (error) {
      if (run) engine.discard(run)
      throw error
    }
  }

  /** What a run gets: the data as the schema gives it back. */
  #checked({ name, policies }: JobEntry, data: unknown): Maybe<unknown> {
    const checked = requestedData(name, policies.schema, data)
    if (!isPromise(checked)) return checked
    return answer(this.#parts.engine.context.clock, checked, SCHEMA_TIMEOUT_MS, `the schema of ${name}`)
  }

  /** @throws ERR_ESCAPEMENT_STOPPED */
  #checkOpen(job: string): void {
    const state = this.#parts.state()
    if (state !== 'draining' && state !== 'stopped') return
    throw new EscapementError('ERR_ESCAPEMENT_STOPPED', `the scheduler is ${state}: ${job} is not run`)
  }

  async #keepPause(job: JobEntry): Promise<void> {
    const { store, faults } = this.#parts.engine.context
    try {
      await store.jobs?.pause(job.name, job.paused)
      faults.troubles.works('store.jobs')
    } catch (error) {
      faults.storeFailed('store.jobs', error, `that ${job.name} is paused or resumed is not kept`)
    }
  }
}

/** Its promise is made when it is asked for, and is no part of its JSON. */
class Accepted implements AcceptedRun {
  readonly id: string
  readonly job: string
  readonly durable: boolean
  readonly #settle: () => Promise<RunRecord>

  constructor(id: string, { job }: RunRequest, durable: boolean, settle: () => Promise<RunRecord>) {
    this.id = id
    this.job = job
    this.durable = durable
    this.#settle = settle
  }

  get settled(): Promise<RunRecord> {
    return this.#settle()
  }
}
