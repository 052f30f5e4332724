import { attempt, bareAttempt, leave } from '../chain/attempt.ts'
import { claim } from '../chain/claim.ts'
import { type Chain, compose, type Link } from '../chain/compose.ts'
import { concurrency } from '../chain/concurrency.ts'
import { GuardedLock } from '../chain/guarded-lock.ts'
import { checkResult } from '../chain/handler.ts'
import { guard } from '../chain/hooks.ts'
import { missed, missedInFleet } from '../chain/missed.ts'
import { overlap, release } from '../chain/overlap.ts'
import { paused } from '../chain/paused.ts'
import { retry } from '../chain/retry.ts'
import { timeout } from '../chain/timeout.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import { bindings, silent } from '../log/logger.ts'
import { Troubles } from '../log/trouble.ts'
import { ActiveRun, type Failure } from '../run/active-run.ts'
import { detached, scoped } from '../run/context.ts'
import { apart, Mutexes } from '../run/mutex.ts'
import type { RunParts } from '../run/snapshot.ts'
import type { Plugins } from '../scheduler/plugins.ts'
import { memoryStore } from '../store/memory-store.ts'
import { countTicks, watermark } from '../timetable/catch-up.ts'
import { WallClock } from '../timetable/wall-clock.ts'
import type {
  Cause,
  Claim,
  Clock,
  JobStore,
  Logger,
  Maybe,
  Outcome,
  Plugin,
  Policies,
  Run,
  Store,
  Timer,
} from '../types/index.ts'
import { describe } from '../util/describe.ts'
import { isPromise } from '../util/promise.ts'
import { cut, printable, redact } from '../util/text.ts'
import { EventBus } from './events.ts'
import { Alive } from './keep-alive.ts'
import { Asked } from './requests.ts'

export interface EngineParts {
  instance: string
  clock: Clock
  plugins: Plugins
  /** The scheduler's own lines, and those of `run.log`. */
  log: Logger
  userLog: Logger
  concurrency: number
  /** The most runs that were asked for and have not ended. */
  maxQueued: number
  /** How long an aborted attempt may take to settle, in ms. */
  abortGrace: number
}

/** The way of a tick: makes its run, sends it through the chain, and writes down how it ended. */
export class Engine {
  readonly instance: string
  readonly clock: Clock
  readonly log: Logger
  readonly userLog: Logger
  readonly abortGrace: number
  readonly events: EventBus
  readonly store: Store
  readonly troubles: Troubles
  /** Runs on their way. Each knows its place, so that it can leave without a search. */
  readonly inFlight: ActiveRun[] = []
  readonly wallClock: WallClock
  /** The wall clock was set by a plugin. */
  onClockSet: () => void = () => {}
  /** How late the last tick was started, in ms. */
  lag = 0
  /** Told when a run has ended. */
  onSettled: (run: ActiveRun) => void = () => {}

  readonly #lock: GuardedLock | undefined
  readonly #plugins: readonly Plugin[]
  readonly #slots: Link | undefined
  /** What becomes of late ticks. */
  readonly #late: Link
  readonly #mutexes = new Mutexes()
  readonly #asked: Asked
  readonly #alive = new Alive()
  readonly #chains = new Map<number, Chain>()
  /** Timers of aborted runs. */
  readonly #patient = new Map<ActiveRun, Timer>()
  #onIdle: (() => void)[] = []
  readonly #monotonic = () => this.clock.monotonic()
  /** Missed ticks of jobs that may miss more, and those to be told of. */
  readonly #missed = new Map<JobEntry, number>()
  readonly #told = new Map<JobEntry, number>()
  /** Ticks that may still be counted one by one for the next warning. */
  #countable = COUNTABLE

  constructor(parts: EngineParts) {
    this.instance = parts.instance
    this.clock = parts.clock
    this.log = parts.log
    this.userLog = parts.userLog
    this.abortGrace = parts.abortGrace
    this.store = parts.plugins.store ?? memoryStore()
    this.wallClock = new WallClock(parts.clock, parts.log)
    this.troubles = new Troubles(parts.log, parts.clock)
    this.#lock = parts.plugins.lock && new GuardedLock(parts.plugins.lock, this.clock, this.troubles)
    this.#plugins = parts.plugins.all
    this.#asked = new Asked(parts.log, parts.maxQueued)
    this.#slots = Number.isFinite(parts.concurrency)
      ? concurrency(parts.concurrency, this.#monotonic)
      : undefined
    this.#late = this.#lock ? missedInFleet(this.#lock, this.#monotonic) : missed
    this.events = new EventBus((error, event) => {
      const fields = { error, source: `listener of '${event}'` }
      if (event === 'error') this.log.error(fields, 'a listener threw')
      else this.report(error, { source: fields.source })
    })
  }

  /** Wall time in ms. */
  now(): number {
    return this.wallClock.now()
  }

  /** Tells of a fault that did not end a run. */
  report(error: unknown, where: { source: string; run?: Run; job?: string }): void {
    const { run } = where
    const fields = run ? { job: run.job.name, run_id: run.id } : { job: where.job }
    this.log.error({ ...fields, error, source: where.source }, `${where.source} threw`)
    this.events.emit('error', error, where)
  }

  /** A method of the store has failed: told when it begins. */
  storeFailed(source: string, error: unknown, effect: string, run?: Run): void {
    if (!this.troubles.fail(source, error, effect)) return
    this.events.emit('error', error, run ? { source, run } : { source })
  }

  /** What is wrong with the lock and the store now. */
  get degraded(): string[] {
    return [...this.troubles.reasons, ...[this.#lock, this.store].flatMap((port) => troubleOf(port) ?? [])]
  }

  /** The chain of a job's policies; shared by all jobs that have the same ones. */
  chain(policies: Policies): Chain {
    const limited = policies.timeout !== undefined
    const exclusive = policies.overlap !== 'allow'
    const retried = policies.retry !== undefined
    const key = (limited ? 1 : 0) + (exclusive ? 2 : 0) + (retried ? 4 : 0)
    let chain = this.#chains.get(key)
    if (!chain) {
      const hooks = (kind: 'run' | 'attempt') =>
        this.#plugins.flatMap(({ name, hooks }) => {
          const hook = hooks?.[kind]
          return hook
            ? guard(hook, (error, run) => this.report(error, { source: `${name}.${kind}`, run }))
            : []
        })
      const around = [
        ...(this.#slots ? [this.#slots] : []),
        ...(this.#lock ? [claim(this.#lock, this.#monotonic)] : []),
        ...hooks('run'),
      ]
      const within = [...hooks('attempt'), ...(limited ? [timeout(this)] : [])]
      const bare = !retried && around.length === 0 && within.length === 0
      const attempts = compose(within, bare ? bareAttempt : attempt(this))
      const links: Link[] = [this.#late, paused, ...(exclusive ? [overlap] : []), ...around]
      const whole = compose(links, retry(this, bare || within.length === 0 ? attempts : scoped(attempts)))
      chain = bare ? whole : scoped(whole)
      this.#chains.set(key, chain)
    }
    return chain
  }

  /** How long a tick is left to the other instances, in ms. */
  headStart(job: JobEntry, at: number, now: number): number {
    return this.#lock?.headStart(job, at, now) ?? 0
  }

  /** A claim that a plugin has brought, guarded. */
  take(claim: Claim): Claim {
    return this.#lock?.take(claim) ?? claim
  }

  /** Runs a job: a due tick, or one taken over. `wall` is when it was found due, in ms. */
  fire(
    job: JobEntry,
    trigger: Cause,
    at: number,
    parts?: RunParts,
    parent?: Run,
    wall: number = this.now(),
  ): ActiveRun {
    const run = new ActiveRun(this, job, trigger, at, wall, parts)
    if (parent) run.touch.parent = parent
    return this.#send(run)
  }

  /** Writes down a tick that cannot run any more. */
  refuse(job: JobEntry, trigger: Cause, at: number, parts: RunParts, parent?: Run): void {
    const run = new ActiveRun(this, job, trigger, at, this.now(), parts)
    if (parent) run.touch.parent = parent
    run.end('skipped', 'shutdown')
    this.#settle(run, undefined)
  }

  /** Writes down a run whose instance died. */
  abandon(job: JobEntry, trigger: Cause, at: number, parts: RunParts): void {
    const run = new ActiveRun(this, job, trigger, at, this.now(), parts)
    run.end('abandoned')
    this.#settle(run, undefined)
  }

  /** A run that was asked for, in the async context of whoever asks; the run itself is detached from it. */
  request(job: JobEntry, data: unknown, bytes: number): ActiveRun {
    this.#asked.enter(job.name, bytes)
    const now = this.now()
    const run = new ActiveRun(this, job, 'manual', now, now)
    run.touch.data = data
    run.touch.bytes = bytes
    for (const { name, hooks } of this.#plugins) {
      try {
        hooks?.request?.(run)
      } catch (error) {
        this.report(error, { source: `${name}.request`, run })
      }
    }
    return detached(() => this.#send(run))
  }

  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal: AbortSignal): Promise<T> {
    const lock = this.#lock
    if (!lock?.exclusive) return this.#mutexes.exclusive(name, fn, signal)
    return apart(lock.exclusive.bind(lock), name, fn, signal)
  }

  /** The first attempt is about to begin. */
  running(run: ActiveRun): void {
    run.job.running++
    if (run.trigger === 'schedule') this.lag = run.late
    if (this.log.debug !== silent) this.log.debug(bindings(run), `${run.job.name} running`)
    // Out of the hooks' context: what the store asks its database is no part of the run's trace.
    if (this.store.begin) detached(() => this.#keep(run))
    this.events.emit('running', run)
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    while (this.inFlight.length > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }

  /** Waits for an aborted attempt to settle, but not for ever. */
  patience(run: ActiveRun): void {
    const { attempt, giveUp } = run
    if (!giveUp && !run.bare) return
    const timer = this.clock.setTimeout(() => {
      this.#patient.delete(run)
      if (run.ended || run.attempt !== attempt || run.giveUp !== giveUp) return
      this.events.emit('ignored-abort', run)
      void run.cleanUp()
      if (giveUp) giveUp(run.aborted)
      else this.giveUp(run)
    }, this.abortGrace)
    this.#patient.set(run, timer)
  }

  /** Ends a run whose chain does not end by itself. */
  giveUp(run: ActiveRun): void {
    const { result, failure } = run.extras?.ending ?? { result: undefined, failure: { error: run.aborted } }
    this.#settle(run, result, failure)
  }

  /** Sends a run through the chain. Never throws: whatever happens becomes the run's outcome. */
  #send(run: ActiveRun): ActiveRun {
    run.place = this.inFlight.push(run) - 1
    if (this.#missed.size > 0 && !run.parts.superseded) this.#tellMissed(run.job)
    try {
      const result = run.job.chain(run)
      if (isPromise(result)) {
        this.#alive.hold()
        result.then(
          (value) => this.#end(run, value),
          (error: unknown) => this.#end(run, undefined, { error }),
        )
      } else this.#end(run, result)
    } catch (error) {
      this.#end(run, undefined, { error })
    }
    return run
  }

  /** The chain is over; the attempt as well, unless nobody has waited for it. */
  #end(run: ActiveRun, result: unknown, failure?: Failure): void {
    if (run.bare && typeof result === 'object' && result !== null && !failure) {
      try {
        checkResult(run.job.name, result)
      } catch (error) {
        this.#end(run, undefined, { error })
        return
      }
    }
    if (!run.bare || (!run.trailing && !run.aborted)) {
      this.#settle(run, result, failure)
      return
    }
    new Promise((resolve) => resolve(leave(run, failure))).then(
      () => this.#settle(run, result),
      (error: unknown) => this.#settle(run, undefined, { error }),
    )
  }

  #settle(run: ActiveRun, result: unknown, failure?: Failure): void {
    if (run.ended) return
    const { job } = run
    if (failure && (run.errors.length < run.attempt || run.attempt === 0)) run.fail(failure.error)
    run.result = result
    const outcome = run.judge(failure)
    run.close(outcome)
    this.#leave(run)
    release(run)
    const timer = this.#patient.size > 0 && this.#patient.get(run)
    if (timer) this.clock.clearTimeout(timer)
    if (run.attempt > 0) job.running--
    // Not the run itself: a hundred thousand jobs would keep as many.
    job.lastOutcome = outcome
    job.lastAt = run.wall + run.duration
    try {
      this.#keep(run)
      this.#tell(run, outcome)
      this.events.emit(outcome, run)
      this.events.emit('settled', run)
      this.onSettled(run)
    } catch (error) {
      // Whoever waits for the run gets its end, whatever telling does.
      this.report(error, { source: 'the end of a run', run })
    }
    if (run.extras?.bytes !== undefined) this.#asked.leave(run.extras.bytes)
    run.settle()
    if (this.inFlight.length > 0) return
    this.#alive.release()
    if (this.#onIdle.length > 0) for (const tell of this.#onIdle.splice(0)) tell()
  }

  /** Lets the store write that the run begins or has ended, and notes how far the job is decided. */
  #keep(run: ActiveRun): void {
    const { store } = this
    try {
      const kept = run.ended ? store.record(run) : store.begin?.(run)
      if (isPromise(kept)) this.#await(kept, run)
      else this.troubles.works('store')
    } catch (error) {
      this.#notKept(error, run)
    }
    if (store.jobs) this.#decide(store.jobs, run)
  }

  #await(kept: Promise<unknown>, run: ActiveRun): void {
    kept.then(
      () => this.troubles.works('store'),
      (error) => this.#notKept(error, run),
    )
  }

  #notKept(error: unknown, run: ActiveRun): void {
    this.storeFailed('store', error, 'runs are not kept', run)
  }

  #decide(jobs: JobStore, run: ActiveRun): void {
    try {
      const decided = watermark(run, this.inFlight)
      if (decided === undefined) return
      jobs.decided(run.job.name, decided)
      this.troubles.works('store.jobs.decided')
    } catch (error) {
      this.storeFailed('store.jobs.decided', error, 'how far jobs are decided is not kept', run)
    }
  }

  #leave(run: ActiveRun): void {
    if (run.place < 0) return
    const last = this.inFlight.pop()
    if (last && last !== run) {
      last.place = run.place
      this.inFlight[run.place] = last
    }
    run.place = -1
  }

  /** One line a run. */
  #tell(run: ActiveRun, outcome: Outcome): void {
    if (outcome === 'missed') {
      this.#missed.set(run.job, (this.#missed.get(run.job) ?? 0) + this.#ticksOf(run))
      if (!run.parts.superseded) this.#tellMissed(run.job)
    }
    const level = LEVELS[outcome]
    if (this.log[level] === silent) return
    const fields = bindings(run)
    fields.outcome = outcome
    fields.trigger = run.trigger
    if (run.attempt > 0) {
      fields.attempt = run.attempt
      fields.duration_ms = Math.round(run.duration)
    }
    if (run.reason) fields.reason = run.reason
    if (level === 'error' && run.traceUrl) fields.trace_url = run.traceUrl
    if (run.error !== undefined) fields.error = run.error
    this.log[level](fields, `${run.job.name} ${outcome}`)
  }

  /** A record may stand for many ticks. A long downtime of a busy job is not counted to its end. */
  #ticksOf({ job, at, parts }: ActiveRun): number {
    if (!parts.until) return 1
    const ticks = countTicks(job.trigger, at, parts.until.getTime(), Math.max(1, this.#countable))
    this.#countable -= ticks
    return ticks
  }

  /** One warning for a row of missed ticks, not one each. */
  #tellMissed(job: JobEntry): void {
    const missed = this.#missed.get(job)
    if (!missed) return
    this.#missed.delete(job)
    if (this.#told.size === 0) this.clock.setImmediate(this.#warnOfMissed)
    this.#told.set(job, missed)
  }

  /** A blocked loop meets all jobs: a line for each of thousands would block it again. */
  #warnOfMissed = (): void => {
    const told = [...this.#told]
    const about = this.#countable > 0 ? '' : 'at least '
    this.#countable = COUNTABLE
    this.#told.clear()
    if (told.length <= FEW) {
      for (const [{ name }, missed] of told) {
        this.log.warn({ job: name, missed }, `${name} missed ${about}${missed} tick${missed > 1 ? 's' : ''}`)
      }
      return
    }
    const missed = told.reduce((sum, [, ticks]) => sum + ticks, 0)
    const jobs = told.slice(0, FEW).map(([{ name }]) => name)
    this.log.warn({ jobs, missed }, `${told.length} jobs missed ${about}${missed} ticks`)
  }
}

/** At a start with 1,000 jobs the loop is not to be blocked by counting what they have missed. */
const COUNTABLE = 10_000

/** So many jobs are named. */
const FEW = 10

const LEVELS: Record<Outcome, keyof Logger> = {
  succeeded: 'info',
  failed: 'error',
  'timed-out': 'error',
  abandoned: 'error',
  'lease-lost': 'error',
  cancelled: 'warn',
  skipped: 'debug',
  missed: 'debug',
}

/** What a port says itself. One that cannot say is in trouble. */
function troubleOf(port: { trouble?(): string | undefined } | undefined): string | undefined {
  try {
    const trouble = port?.trouble?.()
    return trouble === undefined ? undefined : cut(printable(redact(String(trouble))), 500)
  } catch (error) {
    return `trouble() threw: ${describe(error).message}`
  }
}
