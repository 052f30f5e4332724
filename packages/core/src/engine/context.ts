import type { ChainContext } from '../chain/context.ts'
import { GuardedLock } from '../chain/guarded-lock.ts'
import type { Troubles } from '../log/trouble.ts'
import { AbortGrace } from '../run/abort-grace.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { RunEnvironment } from '../run/environment.ts'
import { exclusiveOutsideRunContext, Mutexes } from '../run/mutex.ts'
import { memoryStore } from '../store/memory-store.ts'
import { WallClock } from '../timetable/wall-clock.ts'
import type { Claim, Clock, Job, Lock, Logger, Maybe, Plugin, Run, Store } from '../types/index.ts'
import { EventBus } from './events.ts'
import { Faults } from './faults.ts'
import { InFlight } from './in-flight.ts'

export interface EngineParts {
  readonly instance: string
  readonly clock: Clock
  readonly plugins: {
    readonly all: readonly Plugin[]
    readonly lock: Lock | undefined
    readonly store: Store | undefined
  }
  /** The scheduler's own lines, and those of `run.log`. */
  readonly log: Logger
  readonly userLog: Logger
  /** Runs at a time, over all jobs. */
  readonly concurrency: number
  /** The most runs that were asked for and have not ended. */
  readonly maxQueued: number
  /** How long an aborted attempt may take to settle, in ms. */
  readonly abortGrace: number
  /** Leaves out of a text what must not be kept. */
  readonly redact: (text: string) => string
}

/** What the parts of a scheduler share: clock, log, events, store, lock, and the runs in flight. */
export class EngineContext implements RunEnvironment, ChainContext {
  readonly instance: string
  readonly clock: Clock
  readonly log: Logger
  readonly userLog: Logger
  readonly events: EventBus
  readonly abortGrace: AbortGrace
  readonly store: Store
  readonly inFlight: InFlight = new InFlight()
  readonly wallClock: WallClock
  readonly lock: GuardedLock | undefined
  readonly faults: Faults
  readonly redact: (text: string) => string
  /** The handler of a run has said something that is kept. Set by what keeps it. */
  onNoted: (run: ActiveRun) => void = () => {}
  readonly #mutexes = new Mutexes()

  constructor({ instance, clock, log, userLog, abortGrace, plugins, redact }: EngineParts) {
    this.instance = instance
    this.clock = clock
    this.log = log
    this.userLog = userLog
    this.redact = redact
    this.events = new EventBus((error, event) => this.#listenerFailed(error, event))
    this.faults = new Faults(log, clock, this.events)
    this.abortGrace = new AbortGrace(abortGrace, clock, this.events)
    this.store = plugins.store ?? memoryStore()
    this.wallClock = new WallClock(clock, log)
    this.lock = plugins.lock && new GuardedLock(plugins.lock, clock, this.troubles)
  }

  get troubles(): Troubles {
    return this.faults.troubles
  }

  /** What is wrong with the lock and the store now. */
  get degraded(): string[] {
    return this.faults.reasons(this.lock, this.store)
  }

  /** Wall time in ms. */
  now(): number {
    return this.wallClock.now()
  }

  noted(run: ActiveRun): void {
    this.onNoted(run)
  }

  report(error: unknown, where: { source: string; run?: Run; job?: string }): void {
    this.faults.report(error, where)
  }

  inFlightRun(serial: number): ActiveRun | undefined {
    return this.inFlight.find(serial)
  }

  /** How long a tick is left to the other instances, in ms. */
  claimDelay(job: Job, at: number, now: number): number {
    return this.lock?.claimDelay(job, at, now) ?? 0
  }

  /** A claim that a plugin has brought, guarded. */
  guardClaim(claim: Claim): Claim {
    return this.lock?.take(claim) ?? claim
  }

  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal: AbortSignal): Promise<T> {
    const { lock } = this
    if (!lock?.exclusive) return this.#mutexes.exclusive(name, fn, signal)
    return exclusiveOutsideRunContext(lock.exclusive.bind(lock), name, fn, signal)
  }

  #listenerFailed(error: unknown, event: string): void {
    const source = `listener of '${event}'`
    if (event === 'error') this.log.error({ error, source }, 'a listener threw')
    else this.report(error, { source })
  }
}
