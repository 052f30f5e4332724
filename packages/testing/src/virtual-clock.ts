import type { Clock, Duration, Timer } from '@escapement/core'
import { parseDuration } from '@escapement/core'

interface Pending extends Timer {
  due: number
  order: number
  callback: () => void
}

/**
 * Time that moves only when told to. Wall and monotonic time move together, until `step()` moves the wall
 * clock alone, as an operator or NTP would.
 *
 * @example
 * const clock = new VirtualClock('2026-11-20T00:59:59Z')
 * const scheduler = createScheduler({ clock })
 * scheduler.job('report', '0 1 * * *', { timezone: 'UTC' }, handler)
 * await scheduler.start()
 * await clock.advance('1s') // the report has run
 */
export class VirtualClock implements Clock {
  #wall: number
  #mono = 1
  #order = 0
  #timers = new Set<Pending>()
  #immediates: (() => void)[] = []

  /** @param start Wall time to begin with. Default 2026-01-01T00:00:00Z. */
  constructor(start: Date | string | number = '2026-01-01T00:00:00Z') {
    this.#wall = new Date(start).getTime()
    if (Number.isNaN(this.#wall)) throw new RangeError(`not a date: ${String(start)}`)
  }

  now(): number {
    return Math.floor(this.#wall)
  }

  monotonic(): number {
    return this.#mono
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const timer: Timer & Pending = { due: this.#mono + Math.max(0, ms), order: this.#order++, callback }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(timer: Timer): void {
    this.#timers.delete(timer as Pending)
  }

  setImmediate(callback: () => void): void {
    this.#immediates.push(callback)
  }

  /** Timers that are pending. */
  get pending(): number {
    return this.#timers.size
  }

  /** Milliseconds until the next timer, or undefined. */
  get untilNext(): number | undefined {
    const next = this.#next(Infinity)
    return next && Math.max(0, next.due - this.#mono)
  }

  /** Lets time pass: calls each timer at its moment, in order, and lets promises settle after each. */
  async advance(by: Duration): Promise<void> {
    const target = this.#mono + parseDuration(by, 'advance')
    await this.settle()
    for (let timer = this.#next(target); timer; timer = this.#next(target)) {
      this.#pass(Math.max(0, timer.due - this.#mono))
      this.#timers.delete(timer)
      timer.callback()
      await this.settle()
    }
    this.#pass(target - this.#mono)
  }

  /** Lets time pass in one piece, as when the loop is blocked: timers that came due are called at the end. */
  async block(by: Duration): Promise<void> {
    this.#pass(parseDuration(by, 'block'))
    await this.advance(0)
  }

  /** Lets time pass until the wall clock shows `instant`. */
  async advanceTo(instant: Date | string): Promise<void> {
    await this.advance(Math.max(0, new Date(instant).getTime() - this.#wall))
  }

  /**
   * Lets time pass, from timer to timer, until a promise settles; gives its value or throws its reason.
   *
   * @param limit Fails after so much virtual time. Default 1 h.
   *
   * @example
   * await clock.until(scheduler.stop()) // the drain's grace takes no real time
   */
  async until<T>(promise: Promise<T>, limit: Duration = '1h'): Promise<T> {
    const end = this.#mono + parseDuration(limit, 'limit')
    let over = false
    const settled = () => {
      over = true
    }
    promise.then(settled, settled)
    await this.settle()
    while (!over) {
      if (this.#mono >= end) throw new Error(`it has not settled within ${limit} of virtual time`)
      await this.advance(Math.min(this.untilNext ?? 1, end - this.#mono))
    }
    return promise
  }

  /** Moves the wall clock alone, forward or (negative) back. */
  step(by: number): void {
    this.#wall += by
  }

  /** Lets promises and immediates settle; no time passes. */
  async settle(): Promise<void> {
    do {
      for (const callback of this.#immediates.splice(0)) callback()
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.#immediates.length > 0)
  }

  #pass(ms: number): void {
    this.#mono += ms
    this.#wall += ms
  }

  #next(until: number): Pending | undefined {
    let first: Pending | undefined
    for (const timer of this.#timers) {
      if (timer.due > until) continue
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
        first = timer
    }
    return first
  }
}
