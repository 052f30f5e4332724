import { EscapementError } from '../errors.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import { detached } from '../run/context.ts'
import { hasEnded } from '../run/outcomes.ts'
import { MemoryRequests } from '../store/memory-requests.ts'
import { readRuns } from '../store/query.ts'
import type { RequestStore, RunRecord, RunRequest, Timer } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import type { AskedRunKeeper, Engine, JobRun } from './engine.ts'
import { JobRoom } from './job-room.ts'
import { accepted } from './requests.ts'
import { TakenRequests } from './taken-requests.ts'

/** How often it looks for requests that can run now, in ms. */
const POLL_MS = 400
/** How many runs that have ended here are remembered: a durable store may learn of their ends later. */
const MAX_ENDED = 10_000

export interface AskedRunsParts {
  readonly engine: Engine
  find(job: string): JobEntry | undefined
  /** What the run of a request gets that another instance has accepted. Rejects when it does not fit the job. */
  checked(job: JobEntry, data: unknown): Promise<unknown>
}

/**
 * Lets requests for runs wait for their turn, in this process or in a durable store, and sends the run of each on its way:
 * once, on an instance that has the job and no run of it under way.
 */
export class AskedRuns implements AskedRunKeeper {
  readonly store: RequestStore
  readonly #parts: AskedRunsParts
  /** Runs of requests that were accepted here and have not begun, as their askers' hooks have seen them. */
  readonly #made = new Map<string, JobRun>()
  readonly #taken: TakenRequests
  /** Ids of the runs that are on their way here. */
  readonly #sent = new Set<string>()
  /** Ids of runs that have ended here, as a durable store may not know yet. */
  readonly #ended = new Set<string>()
  readonly #room: JobRoom
  #timer: Timer | undefined
  #looking = false
  #again = false
  #life: 'idle' | 'open' | 'closed' = 'idle'

  constructor(parts: AskedRunsParts) {
    this.#parts = parts
    this.store = parts.engine.context.store.requests ?? new MemoryRequests()
    this.#room = new JobRoom(parts.find, parts.engine.context.clock)
    this.#taken = new TakenRequests(this.store, parts.engine.context.clock)
  }

  open(): void {
    this.#life = 'open'
    this.look()
  }

  /** Begins no more runs. What waits in this process only ends as skipped. */
  close(): void {
    this.#life = 'closed'
    const { engine } = this.#parts
    if (this.#timer) engine.context.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.store.durable) return
    for (const run of [...this.#made.values()]) engine.skip(run, 'shutdown')
    this.#made.clear()
  }

  /**
   * Resolves to the id under which the request is kept.
   *
   * @param run The run that was made for it; undefined when this instance does not have the job.
   */
  async accept(request: RunRequest, run: JobRun | undefined, max: number): Promise<string> {
    if (run) this.#made.set(request.id, run)
    this.#taken.asking.add(request.id)
    try {
      // What a database is asked is no part of the asker's trace.
      const kept = detached(() => this.store.accept(request, max))
      const id = isPromise(kept) ? await accepted(kept, this.#parts.engine.context.clock) : kept
      if (id === request.id) this.look()
      else this.#made.delete(request.id)
      return id
    } catch (error) {
      this.#made.delete(request.id)
      throw error
    } finally {
      this.#taken.asking.delete(request.id)
    }
  }

  /** Sends the runs on their way whose turn has come. */
  look(): void {
    if (this.#life === 'closed') return
    if (this.#looking) {
      this.#again = true
      return
    }
    this.#looking = true
    detached(() => void this.#look())
  }

  /** Cancels the run of a request that waits in this process only: from a durable store it is withdrawn. False when there is none. */
  cancel(id: string, error: Error): boolean {
    const run = this.#made.get(id)
    if (!run || this.store.durable) return false
    this.#made.delete(id)
    this.#parts.engine.cancel(run, error)
    return true
  }

  /** The run of a request that waits here and has not begun. */
  waiting(id: string): JobRun | undefined {
    return this.#made.get(id)
  }

  /** A run has ended: a request may run in its place. */
  madeRoom(): void {
    if (this.#made.size > 0) this.look()
  }

  /** The run of a request has begun: it waits no more. */
  begun(run: JobRun): void {
    if (!this.store.durable) void this.store.withdraw(run.id)
  }

  /** The run of a request has ended. */
  ended(run: JobRun): void {
    if (run.attempt === 0) this.begun(run)
    this.#sent.delete(run.id)
    if (!this.store.durable) return
    this.#ended.add(run.id)
    if (this.#ended.size > MAX_ENDED) this.#ended.delete(this.#ended.values().next().value as string)
  }

  /** Takes a run back that could not begin now. False when it has ended for good. */
  takeBack(run: JobRun): boolean {
    const { reason } = run
    if (run.outcome !== 'skipped' || run.attempt > 0) return false
    this.#sent.delete(run.id)
    // A request that only this process knows was claimed by nobody else: the answer to its claim was lost.
    const own = reason === 'claimed-elsewhere' && !this.store.durable
    if (reason === 'overlap' || reason === 'claim-unavailable' || own) {
      if (this.#life === 'closed' && !this.store.durable) return false
      this.#room.block(run.job.name, POLL_MS - 1)
      run.reopen()
      this.#made.set(run.id, run)
      this.#arm()
      return true
    }
    if (!this.store.durable || (reason !== 'claimed-elsewhere' && reason !== 'shutdown')) return false
    this.#leave(run)
    return true
  }

  /** Another instance runs it: its end is on record there. */
  #leave(run: JobRun): void {
    run.lazy.elsewhere = true
    this.#parts.engine.discard(run)
    run.resolveWaiters()
  }

  /** The record of a run that was asked for, when it has ended. Rejects when this scheduler stops before. */
  async settled(id: string, run: JobRun | undefined): Promise<RunRecord> {
    if (run && !run.lazyFields?.elsewhere) await run.settled
    if (run?.ended && !run.lazyFields?.elsewhere) return run.toJSON()
    const { context } = this.#parts.engine
    while (this.#life !== 'closed') {
      const [record] = await readRuns(context, { key: id, limit: 1 })
      if (record && hasEnded(record.state)) return record
      if (!record && !this.store.durable && !this.#made.has(id) && !this.#sent.has(id)) {
        const message = `run ${id} has ended, and its record is not kept any more`
        throw new EscapementError('ERR_ESCAPEMENT_RUN_UNKNOWN', message)
      }
      await new Promise<void>((resolve) => context.clock.setTimeout(resolve, POLL_MS).unref?.())
    }
    const message = `the scheduler was stopped: another instance tells how run ${id} ends`
    throw new EscapementError('ERR_ESCAPEMENT_STOPPED', message)
  }

  async #look(): Promise<void> {
    const { engine } = this.#parts
    const { troubles } = engine.context.faults
    do {
      this.#again = false
      try {
        const due = this.store.due(engine.context.now(), (job) => this.#room.of(job))
        for (const request of isPromise(due) ? await due : due) this.#begin(request)
        if (this.store.waiting) await this.#taken.look(this.#made, (run) => this.#leave(run))
        troubles.works('store.requests')
      } catch (error) {
        engine.context.faults.storeFailed('store.requests', error, 'requests for runs wait')
      }
    } while (this.#again && this.#life !== 'closed')
    this.#looking = false
    this.#arm()
  }

  #begin(request: RunRequest): void {
    const { id } = request
    const job = this.#parts.find(request.job)
    if (this.#life === 'closed' || this.#sent.has(id) || this.#ended.has(id) || !job?.here) return
    if (request.expires > this.#parts.engine.context.now() && this.#room.of(request.job) === 0) return
    this.#sent.add(id)
    const made = this.#made.get(id)
    if (made) {
      this.#made.delete(id)
      this.#parts.engine.send(made)
    } else void this.#adopt(job, request)
    // There may be more of a job whose runs may overlap.
    if (job.policies.overlap === 'allow') this.#again = true
  }

  /** Of a request that another instance has accepted, or this one before it was started again. */
  async #adopt(job: JobEntry, request: RunRequest): Promise<void> {
    const { engine } = this.#parts
    const run = engine.createAsked(job, request)
    try {
      if (!request.jobData) run.lazy.data = await this.#parts.checked(job, request.data)
    } catch (error) {
      run.lazy.dataError = error
    }
    if (this.#life === 'closed') return
    engine.send(run)
  }

  /** Looks again soon, as long as something may wait. */
  #arm(): void {
    if (this.#life === 'closed' || this.#timer !== undefined) return
    if (this.#made.size === 0 && !(this.store.durable && this.#life === 'open')) return
    const { clock } = this.#parts.engine.context
    const timer = clock.setTimeout(() => {
      this.#timer = undefined
      this.look()
    }, this.#untilNext())
    timer.unref?.()
    this.#timer = timer
  }

  /** A request for later is met at its instant. */
  #untilNext(): number {
    const now = this.#parts.engine.context.now()
    let soonest = this.#made.size > 0 ? POLL_MS : (this.store.poll ?? POLL_MS)
    for (const { at } of this.#made.values()) if (at > now) soonest = Math.min(soonest, at - now)
    return soonest
  }
}
