import { isMissed } from '../chain/missed.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import type { ActiveRun } from '../run/active-run.ts'
import { detached } from '../run/context.ts'
import { ORDINARY } from '../run/snapshot.ts'
import { instantAfter } from '../triggers/index.ts'
import type { Timer } from '../types/index.ts'
import { ClockSteps } from './clock-steps.ts'
import { DueQueue } from './due-queue.ts'
import type { TimetableContext, TimetableParts } from './parts.ts'

/** When to ask a trigger again that has thrown, in ms. */
const ASK_AGAIN_MS = 30_000
/** How long due ticks are fired in one go, in ms. Short slices let finished runs die in V8's young generation. */
const SLICE_MS = 0.5
/** Ticks older than this are not enumerated one by one. */
const HORIZON_MS = 86_400_000
/** Ticks as near as this, in ms, are put where they are due in this instance. */
const SOON_MS = 5_000

/** When each job is due next, and one timer for the first of them. */
export class Timetable {
  readonly #parts: TimetableParts
  readonly #context: TimetableContext
  readonly #queue = new DueQueue()
  readonly #steps: ClockSteps
  /** Jobs whose trigger has failed. */
  readonly #failing = new Set<JobEntry>()
  #timer: Timer | undefined
  #wakeAt = Infinity
  #started = false
  #busy = false

  constructor(parts: TimetableParts) {
    this.#parts = parts
    this.#context = parts.context
    this.#steps = new ClockSteps({
      clock: parts.context.clock,
      wallClock: parts.context.wallClock,
      now: () => parts.context.now(),
      onStep: (by) => parts.onStep(by),
      onBack: (wall, from) => this.#setBack(wall, from),
    })
  }

  start(): void {
    this.#started = true
    this.notice()
    this.#sleep()
  }

  stop(): void {
    this.#started = false
    this.#busy = false
    this.#cancel()
  }

  /** Arms a job with its first tick after `after` (ms) that was not decided yet; disarms it when there is none. */
  arm(job: JobEntry, after: number): void {
    const next = this.#next(
      job,
      this.#steps.fold === 0 ? Math.max(after, job.decided) : this.#undecided(job, after),
    )
    if (next === undefined) {
      this.#queue.delete(job)
      if (!job.exhausted) this.#parts.onExhausted(job, after)
      job.exhausted = true
      return
    }
    job.exhausted = false
    job.at = next
    job.due = (Number.isNaN(next) ? this.#context.now() + ASK_AGAIN_MS : next) + job.spread
    // The lock is asked for a delay when the tick is near. For one that is far off it is asked when the tick is due.
    if (next - after <= SOON_MS) job.due += this.#context.claimDelay(job, next, after)
    this.#queue.put(job)
    if (job.due < this.#wakeAt && !this.#busy) this.#sleep()
  }

  /** The run has ended that the job waits for, if it waits for this one. Returns whether. */
  endWait(job: JobEntry, run: ActiveRun): boolean {
    if (job.awaits !== run) return false
    job.awaits = undefined
    return true
  }

  disarm(job: JobEntry): void {
    this.#queue.delete(job)
    this.#failing.delete(job)
  }

  /** The job is no more. */
  remove(job: JobEntry): void {
    this.disarm(job)
    this.#steps.lived.forget(job)
  }

  /** After the clock was set back: from where, not before `after`, a job has ticks that are not decided. */
  #undecided(job: JobEntry, after: number): number {
    if (job.trigger.followsElapsedTime)
      return job.fold < this.#steps.fold ? after : Math.max(after, job.decided)
    let from = after
    while (from < job.decided) {
      const at = this.#next(job, from)
      const until =
        at !== undefined && at <= job.decided ? this.#steps.lived.decidedUntil(job, at) : undefined
      if (until === undefined) break
      from = Math.min(until, job.decided)
    }
    return from
  }

  /** The wall clock was set: what is not due for long by the timer may be due now. */
  clockSet(): void {
    if (!this.#started || this.#busy) return
    this.notice()
    this.#sleep()
  }

  /** The next tick in ms; undefined when there is none; NaN when the trigger could not say. */
  #next(job: JobEntry, after: number): number | undefined {
    try {
      const at = instantAfter(job.trigger, after)
      if (this.#failing.size > 0 && this.#failing.delete(job)) this.#parts.onTrigger(job)
      return at
    } catch (error) {
      this.failed(job, error)
      return NaN
    }
  }

  /** Tells that the trigger of a job has failed, once while it lasts. */
  failed(job: JobEntry, error: unknown): void {
    if (this.#failing.has(job)) return
    this.#failing.add(job)
    this.#parts.onTrigger(job, error)
  }

  #sleep(): void {
    this.#cancel()
    if (!this.#started) return
    const { due } = this.#queue
    const ms = Math.min(Math.max(Math.ceil(due - this.#context.now()), 0), this.#parts.maxSleep())
    this.#wakeAt = due
    // A timer keeps the async context it was armed in: not that of the request or run we may be in now.
    this.#timer = detached(() => this.#context.clock.setTimeout(this.#wake, ms))
    if (!this.#parts.keepAlive()) this.#timer.unref?.()
  }

  #cancel(): void {
    if (this.#timer) this.#context.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#wakeAt = Infinity
  }

  #wake = (): void => {
    this.#timer = undefined
    if (!this.#started) return
    this.notice()
    this.#parts.onWake()
    this.#work()
  }

  /** Fires what is due, a slice at a time. */
  #work = (): void => {
    if (!this.#started) return
    const { clock } = this.#context
    const end = clock.monotonic() + SLICE_MS
    this.#busy = true
    let wall = this.#context.now()
    for (let fired = 1; ; fired++) {
      if (this.#queue.due > wall) break
      this.#fire(this.#queue.peek() as JobEntry, wall)
      if (fired % 16 === 0) {
        if (clock.monotonic() >= end) {
          clock.setImmediate(this.#work)
          return
        }
        wall = this.#context.now()
      }
    }
    this.#busy = false
    this.#sleep()
  }

  #fire(job: JobEntry, wall: number): void {
    const { at } = job
    // The trigger had failed: ask again.
    if (Number.isNaN(at)) {
      this.arm(job, wall)
      return
    }
    const due = at + job.spread + this.#context.claimDelay(job, at, wall - job.spread)
    if (due > wall) {
      job.due = due
      this.#queue.put(job)
      return
    }
    const horizon = Math.max(HORIZON_MS, job.policies.catchUpWindow)
    // Of jobs at fixed times the last one, also after the clock was set back.
    if (at > job.decided || job.trigger.followsElapsedTime) job.decided = at
    job.fold = this.#steps.fold
    const old = wall - at > horizon ? wall - horizon : undefined
    this.arm(job, old ?? at)
    const superseded = job.bucket !== undefined && job.at <= wall
    const fold = this.#foldOf(job, at)
    const until = old === undefined || !superseded ? undefined : new Date(old)
    const parts = superseded || fold > 0 ? { fold, superseded, until } : ORDINARY
    const { lived } = this.#steps
    if (at <= lived.jumpedTo && !job.trigger.followsElapsedTime)
      lived.late(job, at, !isMissed(job.policies, wall - at - job.spread, parts))
    const first = this.#parts.fire({ job, at, wall, parts })
    if (!first) return
    this.#queue.delete(job)
    job.awaits = first
  }

  /** How often the clock was set back over this tick, if it is met again. */
  #foldOf(job: JobEntry, at: number): number {
    const { fold, lived } = this.#steps
    const again = job.trigger.followsElapsedTime
      ? this.#steps.isRepeated(at)
      : fold > 0 && lived.missed(job, at)
    return again ? fold : 0
  }

  /** Looks at the clock, and whether it was set since the last look. */
  notice(): void {
    this.#steps.notice()
  }

  #setBack(wall: number, from: number): void {
    this.#parts.onBack()
    // Jobs that follow elapsed time carry on, as with vixie cron; their ticks met again are marked as such. Those at
    // fixed times are due when they have not run. Some are not armed: their last tick was before the false time.
    for (const job of this.#parts.jobs())
      if (!job.awaits) this.arm(job, job.trigger.followsElapsedTime ? wall : from)
  }
}
