import type { Dispatcher } from '../engine/dispatcher.ts'
import type { Engine } from '../engine/engine.ts'
import { harmless, notRun } from '../engine/requests.ts'
import { EscapementError } from '../errors.ts'
import { copyData, requestedData } from '../jobs/job-data.ts'
import { type JobController, type JobEntry, parseRunOptions } from '../jobs/job-entry.ts'
import type { Registry } from '../jobs/registry.ts'
import type { Life, PauseInfo, Run, RunOptions } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import { answer } from '../util/time.ts'

/** How long a request waits for the answer of a schema, in ms. */
const SCHEMA_TIMEOUT_MS = 30_000

export interface ControllerParts {
  readonly engine: Engine
  readonly registry: () => Registry
  readonly dispatcher: () => Dispatcher
  readonly state: () => Life
}

/** What jobs do through their scheduler: run on request, pause, resume, be removed. */
export class SchedulerJobs implements JobController {
  readonly #parts: ControllerParts

  constructor(parts: ControllerParts) {
    this.#parts = parts
  }

  request(job: JobEntry, data: unknown, options: RunOptions | undefined): Promise<Run> {
    return harmless(this.#request(job, data, options))
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

  async #request(job: JobEntry, given: unknown, options: RunOptions | undefined): Promise<Run> {
    const { name, policies } = job
    const { wait, asked } = parseRunOptions(job, given, options)
    const { data, bytes } = copyData(name, given)
    this.#checkOpen(name)
    const checked = requestedData(name, policies.schema, data)
    const { clock } = this.#parts.engine.context
    const ready = isPromise(checked)
      ? await answer(clock, checked, SCHEMA_TIMEOUT_MS, `the schema of ${name}`)
      : checked
    // The answer of the schema may have taken its time.
    this.#checkOpen(name)
    const run = this.#parts.engine.request(job, { data: ready, bytes, asked })
    await (wait ? run.settled : run.answered)
    if (run.ended && run.attempt === 0) throw notRun(run)
    return run
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
