import type { ActiveRun } from '../run/active-run.ts'
import { detached } from '../run/context.ts'
import type { Clock, JobStore, Store } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import type { Faults } from './faults.ts'
import type { InFlight } from './in-flight.ts'

/** How long what a handler says may wait until it is written, in ms. */
const UPDATE_DELAY_MS = 1_000

interface KeeperParts {
  readonly store: Store
  readonly inFlight: InFlight
  readonly faults: Faults
  readonly clock: Clock
}

/** Lets the store write that a run begins or has ended, and up to where its job is decided. */
export class RunKeeper {
  readonly #store: Store
  readonly #inFlight: InFlight
  readonly #faults: Faults

  readonly #clock: Clock
  /** Runs under way whose handlers have said something since it was last written. */
  readonly #noted = new Set<ActiveRun>()

  constructor({ store, inFlight, faults, clock }: KeeperParts) {
    this.#store = store
    this.#inFlight = inFlight
    this.#faults = faults
    this.#clock = clock
  }

  /** What a handler says is written while it runs, so that it can be seen, and a crash does not take it. */
  noted(run: ActiveRun): void {
    if (!this.#store.update || this.#noted.has(run)) return
    if (this.#noted.size === 0) {
      const timer = detached(() => this.#clock.setTimeout(() => this.#update(), UPDATE_DELAY_MS))
      timer.unref?.()
    }
    this.#noted.add(run)
  }

  #update(): void {
    const runs = [...this.#noted]
    this.#noted.clear()
    for (const run of runs) if (!run.ended) this.#write(run, 'update')
  }

  began(run: ActiveRun): void {
    // Out of the hooks' context: what the store asks its database is no part of the run's trace.
    if (this.#store.begin) detached(() => this.#keep(run))
  }

  ended(run: ActiveRun): void {
    this.#keep(run)
  }

  #keep(run: ActiveRun): void {
    const store = this.#store
    this.#write(run, run.ended ? 'record' : 'begin')
    if (store.jobs) this.#decide(store.jobs, run)
  }

  #write(run: ActiveRun, how: 'begin' | 'update' | 'record'): void {
    try {
      const kept = this.#store[how]?.(run)
      if (isPromise(kept)) this.#await(kept, run)
      else this.#faults.troubles.works('store')
    } catch (error) {
      this.#notKept(error, run)
    }
  }

  #await(kept: Promise<unknown>, run: ActiveRun): void {
    kept.then(
      () => this.#faults.troubles.works('store'),
      (error) => this.#notKept(error, run),
    )
  }

  #notKept(error: unknown, run: ActiveRun): void {
    this.#faults.storeFailed('store', error, 'runs are not kept', run)
  }

  #decide(jobs: JobStore, run: ActiveRun): void {
    const source = 'store.jobs.decided'
    try {
      const decided = watermark(run, this.#inFlight)
      if (decided === undefined) return
      jobs.decided(run.job.name, decided)
      this.#faults.troubles.works(source)
    } catch (error) {
      this.#faults.storeFailed(source, error, 'how far jobs are decided is not kept')
    }
  }
}

/**
 * Up to where the job of this run is decided now that it begins or has ended: not past ticks that still wait
 * for their turn. Undefined when the run does not decide a tick.
 */
function watermark(run: ActiveRun, inFlight: Iterable<ActiveRun>): number | undefined {
  if (run.cause !== 'schedule' && run.cause !== 'catch-up') return
  if (run.reason === 'shutdown') return
  const { job } = run
  let at = run.until?.getTime() ?? run.at
  // Where none may overlap, only the one that holds the job and the one in line can be others.
  if (job.policies.overlap !== 'allow' && !job.queued && (job.holding < 0 || job.holding === run.serial))
    return at
  for (const other of inFlight) {
    if (other === run || other.job !== job || other.attempt > 0 || other.ended) continue
    if (other.at <= at) at = other.at - 1
  }
  return at
}
