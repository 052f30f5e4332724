import type { Dispatcher } from '../engine/dispatcher.ts'
import type { Engine } from '../engine/engine.ts'
import { harmless, notRun } from '../engine/requests.ts'
import { EscapementError } from '../errors.ts'
import { copyData, requestedData } from '../jobs/job-data.ts'
import { type JobController, type JobEntry, parseRunOptions } from '../jobs/job-entry.ts'
import type { Registry } from '../jobs/registry.ts'
import type { Life, Run, RunOptions } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'

export interface ControllerParts {
  readonly engine: Engine
  readonly registry: () => Registry
  readonly dispatcher: () => Dispatcher
  readonly state: () => Life
}

/** What jobs do through their scheduler: run on request, pause, resume, go. */
export function createJobController({ engine, registry, dispatcher, state }: ControllerParts): JobController {
  const { log, events, store, faults } = engine.context

  async function request(job: JobEntry, given: unknown, options: RunOptions | undefined): Promise<Run> {
    const { name, policies } = job
    const wait = parseRunOptions(job, given, options)
    const { data, bytes } = copyData(name, given)
    checkOpen(name)
    const checked = requestedData(name, policies.schema, data)
    const ready = isPromise(checked) ? await checked : checked
    // The answer of the schema may have taken its time.
    checkOpen(name)
    const run = engine.request(job, ready, bytes)
    await (wait ? run.settled : run.answered)
    if (run.ended && run.attempt === 0) throw notRun(run)
    return run
  }

  /** @throws ERR_ESCAPEMENT_STOPPED */
  function checkOpen(job: string): void {
    const now = state()
    if (now !== 'draining' && now !== 'stopped') return
    throw new EscapementError('ERR_ESCAPEMENT_STOPPED', `the scheduler is ${now}: ${job} is not run`)
  }

  async function keepPause(job: JobEntry): Promise<void> {
    try {
      await store.jobs?.pause(job.name, job.paused)
      faults.troubles.works('store.jobs')
    } catch (error) {
      faults.storeFailed('store.jobs', error, `that ${job.name} is paused or resumed is not kept`)
    }
  }

  return {
    request: (job, data, options) => harmless(request(job, data, options)),
    remove(job) {
      if (!registry().delete(job)) return
      dispatcher().remove(job)
      events.emit('removed', job)
    },
    setPaused(job, paused, info) {
      if (!paused === !job.paused) return
      job.paused = paused
      log.info({ job: job.name, ...info }, `${job.name} ${paused ? 'paused' : 'resumed'}`)
      void keepPause(job)
      events.emit(paused ? 'paused' : 'resumed', job, info)
    },
  }
}
