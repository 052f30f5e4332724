import { Chains } from '../chain/chains.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import { ActiveRun } from '../run/active-run.ts'
import { detached } from '../run/context.ts'
import type { Failure } from '../run/failure.ts'
import type { RunOrigin } from '../run/snapshot.ts'
import type { Plugin, Policies, Run, RunRequest, SkipReason } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import { EngineContext, type EngineParts } from './context.ts'
import { Requests } from './requests.ts'
import { RunKeeper } from './run-keeper.ts'
import { RunLog } from './run-log.ts'

/** A run that the engine has made. */
export type JobRun = ActiveRun & { readonly job: JobEntry }

/** What makes a run of a job. */
export interface JobOrigin extends RunOrigin {
  readonly job: JobEntry
  /** The run of another job that it follows. */
  readonly parent?: Run
}

/** Lets requests for runs wait for their turn. */
export interface AskedRunKeeper {
  /** Takes a run back that could not begin now. False when it has ended for good. */
  takeBack(run: JobRun): boolean
  /** The run of a request has begun: it waits no more. */
  begun(run: JobRun): void
  /** The run of a request has ended. */
  ended(run: JobRun): void
  /** A run has ended: a request may run in its place. */
  madeRoom(): void
}

/** Makes the run of a tick, sends it through the chain of its job, and ends it. */
export class Engine {
  readonly context: EngineContext
  /** How late the last tick was started, in ms. */
  lag = 0
  /** Called when a run has ended. */
  onSettled: (run: JobRun) => void = () => {}

  /** Where requests for runs wait. Set by what makes them. */
  asked: AskedRunKeeper | undefined = undefined

  readonly #plugins: readonly Plugin[]
  readonly #chains: Chains
  readonly #requests: Requests
  readonly #keeper: RunKeeper
  readonly #runLog: RunLog

  constructor(parts: EngineParts) {
    const context = new EngineContext(parts)
    const { log, clock, store, inFlight, faults, lock } = context
    this.context = context
    this.#plugins = parts.plugins.all
    this.#requests = new Requests(log, parts.maxQueued)
    this.#keeper = new RunKeeper({ store, inFlight, faults, clock })
    context.onNoted = (run) => this.#keeper.noted(run)
    this.#runLog = new RunLog(log, clock)
    this.#chains = new Chains({
      context,
      lock,
      requests: store.requests?.durable ? store.requests : undefined,
      plugins: parts.plugins.all,
      concurrency: parts.concurrency,
      begin: (run, next) => {
        this.#begin(run as JobRun)
        return next(run)
      },
    })
  }

  /** The chain of a job with these policies. */
  chainOf(policies: Policies): JobEntry['chain'] {
    return this.#chains.of(policies)
  }

  /** Runs a job: a due tick, or one taken over. */
  fire(origin: JobOrigin): JobRun {
    return this.#send(this.#create(origin))
  }

  /** Writes down a tick that will not run here: the instance that ran it died, or the scheduler is stopped. */
  record(origin: JobOrigin, outcome: 'abandoned' | 'skipped'): void {
    const run = this.#create(origin)
    if (outcome === 'skipped') run.decide(outcome, 'shutdown')
    else run.decide(outcome)
    this.#finalize(run, undefined)
  }

  /** The run of a request, before it is sent on its way. */
  createAsked(job: JobEntry, request: RunRequest): JobRun {
    const { id, at, data, retryOf, jobData } = request
    const cause = retryOf === undefined ? 'manual' : 'retry'
    const run = this.#create({ job, cause, at, wall: this.context.now(), givenId: id })
    run.lazy.request = request
    run.lazy.data = jobData ? job.data : data
    return run
  }

  /** As `createAsked()`, in the async context of whoever asks; the run itself is detached from it. */
  ask(job: JobEntry, request: RunRequest, bytes: number): JobRun {
    this.#requests.enter(job.name, bytes)
    const run = this.createAsked(job, request)
    run.lazy.bytes = bytes
    for (const { name, hooks } of this.#plugins) {
      try {
        hooks?.request?.(run)
      } catch (error) {
        this.context.report(error, { source: `${name}.request`, run })
      }
    }
    return run
  }

  /** A request was not accepted, or another instance runs it: its run does not end here. */
  discard(run: JobRun): void {
    if (run.lazyFields?.bytes !== undefined) this.#requests.leave(run.lazyFields.bytes)
  }

  /** Sends the run of a request on its way. */
  send(run: JobRun): void {
    run.wall = this.context.now()
    detached(() => this.#send(run))
  }

  /** Ends a run that was never sent as cancelled. */
  cancel(run: JobRun, error: Error): void {
    run.abort(error)
    this.#finalize(run, undefined, { error })
  }

  /** Ends a run that was never sent as skipped. */
  skip(run: JobRun, reason: SkipReason): void {
    run.decide('skipped', reason)
    this.#finalize(run, undefined)
  }

  /** Ends a run whose chain does not end by itself. */
  forceEnd(run: ActiveRun): void {
    const { result, failure } = run.lazyFields?.ending ?? {
      result: undefined,
      failure: { error: run.aborted },
    }
    this.#finalize(run as JobRun, result, failure)
  }

  #create(origin: JobOrigin): JobRun {
    const run = new ActiveRun(this.context, origin) as JobRun
    if (origin.parent) run.lazy.parent = origin.parent
    return run
  }

  /** Sends a run through its chain. Never throws: whatever happens becomes the run's outcome. */
  #send(run: JobRun): JobRun {
    this.context.inFlight.add(run)
    this.#runLog.due(run)
    try {
      const result = run.job.chain(run)
      if (isPromise(result)) {
        this.context.inFlight.keepAlive()
        result.then(
          (value) => this.#finalize(run, value),
          (error: unknown) => this.#finalize(run, undefined, { error }),
        )
      } else this.#finalize(run, result)
    } catch (error) {
      this.#finalize(run, undefined, { error })
    }
    return run
  }

  /** The first attempt begins. */
  #begin(run: JobRun): void {
    if (run.aborted) throw run.aborted
    if (run.lazyFields?.dataError) throw run.lazyFields.dataError
    run.beginAttempt()
    if (run.lazyFields?.request) this.asked?.begun(run)
    run.job.running++
    if (run.cause === 'schedule') this.lag = run.late
    this.#runLog.began(run)
    this.#keeper.began(run)
    this.context.events.emit('running', run)
  }

  #finalize(run: JobRun, result: unknown, failure?: Failure): void {
    if (run.ended) return
    const { job } = run
    const outcome = run.seal(result, failure)
    this.context.inFlight.delete(run)
    this.context.abortGrace.end(run)
    if (run.lazyFields?.request && this.asked?.takeBack(run)) {
      this.context.inFlight.settle()
      return
    }
    if (run.attempt > 0) job.running--
    // Not the run itself: a hundred thousand jobs would keep as many.
    job.lastOutcome = outcome
    job.lastAt = run.wall + run.duration
    try {
      this.#keeper.ended(run)
      this.#runLog.ended(run, outcome)
      this.context.events.emit(outcome, run)
      this.context.events.emit('settled', run)
      this.onSettled(run)
    } catch (error) {
      // Whoever waits for the run gets its end, whatever telling does.
      this.context.report(error, { source: 'the end of a run', run })
    }
    if (run.lazyFields?.bytes !== undefined) this.#requests.leave(run.lazyFields.bytes)
    if (run.lazyFields?.request) this.asked?.ended(run)
    this.asked?.madeRoom()
    run.resolveWaiters()
    this.context.inFlight.settle()
  }
}
