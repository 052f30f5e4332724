import { AsyncResource } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import { EscapementError } from '../errors.ts'
import { bind } from '../log/logger.ts'
import type { Group, GroupOptions, Logger, Maybe, Outcome, Run, SkipReason, Tick } from '../types/index.ts'
import { checkFraction } from '../util/validate.ts'
import { Extras } from './lazy-fields.ts'
import { checkExclusive } from './mutex.ts'
import { Facts, NONE } from './snapshot.ts'
import { TaskGroup } from './task-group.ts'

/** What was thrown, in a box: it may be undefined. */
export interface Failure {
  error: unknown
}

/** A run from its tick to its outcome. What costs something to make is made when it is touched. */
export class ActiveRun extends Facts implements Run {
  result: unknown = undefined
  /** Why the attempt under way was aborted. */
  aborted: Error | undefined = undefined
  /** Ends the attempt under way without waiting for its handler. */
  giveUp: ((reason: unknown) => void) | undefined = undefined
  /** No link waits for the attempt. */
  bare = false
  /** Its place among the runs in flight; -1 outside. */
  place = -1
  /** Monotonic time when the first attempt began, in ms. */
  began: number = NaN
  extras: Extras | undefined = undefined

  /** What most runs never have, made when it is touched. */
  get touch(): Extras {
    this.extras ??= new Extras()
    return this.extras
  }

  get data(): unknown {
    return this.trigger === 'manual' ? this.extras?.data : this.job.data
  }

  get parent(): Run | undefined {
    return this.extras?.parent
  }

  override get tick(): Tick {
    const { touch } = this
    touch.tick ??= super.tick
    return touch.tick
  }

  get claimedIn(): number | undefined {
    return this.extras?.claimedIn
  }

  get traceparent(): string | undefined {
    return this.extras?.traceparent
  }

  set traceparent(traceparent: string | undefined) {
    this.touch.traceparent = traceparent
  }

  get traceUrl(): string | undefined {
    return this.extras?.traceUrl
  }

  set traceUrl(url: string | undefined) {
    this.touch.traceUrl = url
  }

  get late(): number {
    return Math.max(0, this.wall - this.at)
  }

  get duration(): number {
    if (this.attempt === 0) return 0
    return (this.ended ? this.endedAtMono : this.engine.clock.monotonic()) - this.began
  }

  get signal(): AbortSignal {
    const { touch } = this
    if (!touch.controller) {
      touch.controller = new AbortController()
      // As many as there are things that wait in parallel: no leak.
      setMaxListeners(0, touch.controller.signal)
      // Listeners are called in the context the signal was first touched in: the handler's, with its trace.
      // As AsyncLocalStorage.snapshot(), for a tenth of its cost.
      touch.context = new AsyncResource('escapement.run', MANUAL)
      if (this.aborted) touch.controller.abort(this.aborted)
    }
    return touch.controller.signal
  }

  get log(): Logger {
    const { touch } = this
    touch.log ??= bind(this.engine.userLog, this)
    return touch.log
  }

  assertHeld(): void {
    if (!this.aborted && this.claim && !this.claim.held()) {
      const message = `${this.tick.id} may have been taken over by another instance`
      this.abort(new EscapementError('ERR_ESCAPEMENT_LEASE_LOST', message))
    }
    if (this.aborted) throw this.aborted
  }

  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>): Promise<T> {
    checkExclusive(name, fn)
    return this.engine.exclusive(name, fn, this.signal)
  }

  group(options?: GroupOptions): Group {
    const group = new TaskGroup(this.signal, options)
    const { touch } = this
    touch.groups ??= []
    touch.groups.push(group)
    return group
  }

  progress(fraction: number, note?: string): void {
    checkFraction(fraction)
    this.engine.events.emit('progress', this, note === undefined ? { fraction } : { fraction, note })
  }

  onCleanup(fn: () => unknown): void {
    const { touch } = this
    touch.cleanups ??= []
    touch.cleanups.push(fn)
  }

  cancel(reason = 'cancelled on request'): void {
    this.abort(new EscapementError('ERR_ESCAPEMENT_CANCELLED', reason))
  }

  /** Decides the run before its handler was called. */
  end(outcome: Outcome, reason?: SkipReason): void {
    this.outcome = outcome
    this.reason = reason
  }

  /** A new attempt: its own signal, groups and cleanups. */
  begin(): void {
    this.attempt++
    if (this.attempt === 1) {
      this.wall = this.engine.now()
      this.began = this.engine.clock.monotonic()
      this.extras?.answer?.()
    } else {
      if (this.extras) this.extras.controller = undefined
      this.aborted = undefined
    }
    this.state = 'running'
  }

  /** The whole run was aborted, not only the attempt under way. */
  get over(): boolean {
    return this.extras?.over === true
  }

  /** Aborts the whole run, or with `attemptOnly` what is under way. The first reason counts. */
  abort(reason: Error, attemptOnly = false): void {
    if (this.ended || this.extras?.ending || (this.aborted && (attemptOnly || this.over))) return
    if (!attemptOnly) this.touch.over = true
    const first = this.aborted === undefined
    this.aborted = reason
    if (!attemptOnly) this.go(false)
    const { controller, context } = this.extras ?? NOTHING
    if (controller && first) context?.runInAsyncScope(() => controller.abort(reason))
    if (first && this.state === 'running') this.engine.patience(this)
  }

  /** Resolves when the run has its outcome. */
  get settled(): Promise<Run> {
    if (this.ended) return Promise.resolve(this)
    return new Promise((resolve) => {
      const { touch } = this
      touch.waiters ??= []
      touch.waiters.push(() => resolve(this))
    })
  }

  /** Resolves when it has begun, is in line, or has ended. */
  get answered(): Promise<void> | undefined {
    if (this.attempt > 0 || this.ended || this.extras?.wake) return undefined
    return new Promise((resolve) => {
      this.touch.answer = resolve
    })
  }

  /** Waits for its turn: true when `go()` was called, false when the run was aborted or dismissed. */
  wait(): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.over) resolve(false)
      else this.touch.wake = resolve
      this.extras?.answer?.()
    })
  }

  /** Ends the wait, if there is one. */
  go(passed = true): void {
    if (!this.extras) return
    const { wake } = this.extras
    this.extras.wake = undefined
    wake?.(passed)
  }

  /** True when the attempt has groups to wait for or cleanups to call. */
  get trailing(): boolean {
    return this.extras !== undefined && (this.extras.groups ?? this.extras.cleanups) !== undefined
  }

  /** Waits for the groups and cleans up. A group's failure is the attempt's. */
  async join(failure?: Failure): Promise<void> {
    let failed = failure
    const { touch } = this
    for (const group of touch.groups ?? []) {
      if (failed) group.fail(failed.error)
      await group.done().catch((error: unknown) => {
        failed ??= { error }
      })
    }
    touch.groups = undefined
    await this.cleanUp()
    if (failed) throw failed.error
  }

  /** Calls what `onCleanup` was given, the last first. */
  async cleanUp(): Promise<void> {
    const { touch } = this
    const { cleanups } = touch
    touch.cleanups = undefined
    for (let fn = cleanups?.pop(); fn; fn = cleanups?.pop()) {
      try {
        await fn()
      } catch (error) {
        this.engine.report(error, { source: 'onCleanup', run: this })
      }
    }
  }

  /** Something of this run went wrong that no promise of it tells. */
  tellLoose(error: unknown, source: string): void {
    this.engine.report(error, { source, run: this })
  }

  fail(error: unknown): void {
    if (this.errors === NONE) this.errors = []
    this.errors.push(error)
  }

  /** The outcome if the run ended now, with this failure or with none. */
  judge(failure?: Failure): Outcome {
    if (this.outcome) return this.outcome
    if (this.extras?.ending) return this.extras.ending.outcome
    if (this.attempt === 0 && !failure) return 'skipped'
    if (!failure) return 'succeeded'
    if (!this.aborted || failure.error !== this.aborted) return 'failed'
    switch ((this.aborted as EscapementError).code) {
      case 'ERR_ESCAPEMENT_TIMEOUT':
        return 'timed-out'
      case 'ERR_ESCAPEMENT_LEASE_LOST':
        return 'lease-lost'
      default:
        return 'cancelled'
    }
  }

  /** Seals the run. */
  close(outcome: Outcome): void {
    this.outcome = outcome
    this.state = outcome
    this.endedAtMono = this.engine.clock.monotonic()
    this.giveUp = undefined
  }

  /** Lets those go who wait for the end. */
  settle(): void {
    if (!this.extras) return
    this.extras.answer?.()
    const { waiters } = this.extras
    if (!waiters) return
    this.extras.waiters = undefined
    for (const tell of waiters) tell()
  }
}

const MANUAL = { requireManualDestroy: true }
const NOTHING: Partial<Extras> = {}
