import type { AskedRuns } from '../engine/asked-runs.ts'
import type { Dispatcher } from '../engine/dispatcher.ts'
import type { Engine } from '../engine/engine.ts'
import { harmless, notRun } from '../engine/requests.ts'
import { EscapementError, show } from '../errors.ts'
import type { FleetMember } from '../fleet/fleet-member.ts'
import { copyData, requestedData } from '../jobs/job-data.ts'
import type { JobController, JobEntry } from '../jobs/job-entry.ts'
import type { Registry } from '../jobs/registry.ts'
import { parseRunOptions } from '../jobs/run-options.ts'
import { hasEnded } from '../run/outcomes.ts'
import type {
  AcceptedRun,
  Life,
  Maybe,
  PauseInfo,
  PauseOptions,
  RetryRunOptions,
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
  readonly member: FleetMember
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
    return this.requestByName(job.name, data, options)
  }

  /** Asks for a run of a job that this instance may not have. */
  requestByName(
    name: string,
    data: unknown,
    options: RunOptions | undefined,
  ): Promise<AcceptedRun | RunRecord> {
    return harmless(this.#request(name, this.#findToRun(name), [data, options]))
  }

  /**
   * Asks for the run of an ended run's input again.
   *
   * @throws ERR_ESCAPEMENT_RUN_STATE, ERR_ESCAPEMENT_INPUT_GONE, and what a request can meet
   */
  retry(record: RunRecord, { key, by, reason }: RetryRunOptions): Promise<AcceptedRun> {
    const { job: name, id, cause, data, cut } = record
    if (!hasEnded(record.state)) {
      const message = `run ${show(id)} has not ended yet: it can be run again when it has`
      throw new EscapementError('ERR_ESCAPEMENT_RUN_STATE', message)
    }
    const jobData = cause !== 'manual' && cause !== 'retry'
    if (!jobData && cut?.data !== undefined) {
      const message = `run ${show(id)} cannot be run again: the data that it was asked with is not kept, since ${cut.data}`
      throw new EscapementError('ERR_ESCAPEMENT_INPUT_GONE', message)
    }
    const options = {
      ...(key !== undefined && { key }),
      ...(by !== undefined && { by }),
      ...(reason !== undefined && { reason }),
    }
    const job = this.#findToRun(name)
    const again = { retryOf: id, ...(jobData && { jobData }) }
    return harmless(
      this.#request(name, job, [jobData ? undefined : data, options], again),
    ) as Promise<AcceptedRun>
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

  pause(job: JobEntry, options: PauseOptions): Promise<void> {
    return harmless(this.#parts.member.operations.pause(job.name, options))
  }

  resume(job: JobEntry, info: PauseInfo): Promise<void> {
    return harmless(this.#parts.member.operations.resume(job.name, info))
  }

  get allPaused(): PauseInfo | undefined {
    return this.#parts.member.pauses.all
  }

  /** The job that this instance runs; undefined when the request is for another instance. */
  #findToRun(name: string): JobEntry | undefined {
    const { durable } = this.#parts.asked().store
    const job = this.#parts.registry().find(name)
    // It throws for a job that nobody has.
    if (!job && !durable) this.#parts.registry().get(name)
    if (!job || job.here) return job
    if (durable) return undefined
    const message = `${name} was not run: it runs on instances with the role ${show(job.role)}, and without a durable store requests do not reach them`
    throw new EscapementError('ERR_ESCAPEMENT_NOT_RUN', message)
  }

  async #request(
    name: string,
    job: JobEntry | undefined,
    [given, options]: [data: unknown, options: RunOptions | undefined],
    again: Pick<RunRequest, 'retryOf' | 'jobData'> = {},
  ): Promise<AcceptedRun | RunRecord> {
    const { engine, timezone } = this.#parts
    const { data, bytes } = copyData(name, given)
    const now = engine.context.now()
    const { wait, key, at, expires, asked } = parseRunOptions(options, { job, data: given, now, timezone })
    this.#checkOpen(name)
    const checked = job && (again.jobData ? job.data : this.#checked(job, data))
    // At once where that can be: a request just before the stop is run.
    const ready = isPromise(checked) ? await checked : checked
    // The answer of the schema may have taken its time.
    this.#checkOpen(name)
    const id = timeOrderedId(engine.context.now(), serial())
    const request = { id, job: name, at, expires, data, key, asked, ...again }
    const accepted = await this.#accept(job, request, { ready, bytes })
    if (asked?.by !== undefined && again.retryOf === undefined)
      await this.#parts.member.audit.note({ action: 'asked', job: name, run: accepted.id, ...asked })
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
      const kept = run && asked.store.durable ? { ...request, facts: run.facts } : request
      const id = await asked.accept(kept, run, job?.policies.maxQueued ?? MAX_QUEUED)
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
