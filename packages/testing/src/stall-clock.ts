import { type Clock, systemClock, type Timer } from '@escapement/core'

/**
 * The machine's clock, with timers that can be held back: as a process that is stopped (SIGSTOP), or whose
 * event loop is blocked, while the others carry on.
 */
export class StallClock implements Clock {
  #held: (() => void)[] | undefined

  now(): number {
    return systemClock.now()
  }

  monotonic(): number {
    return systemClock.monotonic()
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const timer: { real: Timer; over: boolean } & Timer = {
      over: false,
      real: systemClock.setTimeout(() => this.#call(() => !timer.over && callback()), ms),
      ref: () => timer.real.ref?.(),
      unref: () => timer.real.unref?.(),
    }
    return timer
  }

  clearTimeout(timer: Timer): void {
    const mine = timer as { real: Timer; over: boolean }
    mine.over = true
    systemClock.clearTimeout(mine.real)
  }

  setImmediate(callback: () => void): void {
    systemClock.setImmediate(() => this.#call(callback))
  }

  /** From now on, timers wait. */
  stall(): void {
    this.#held ??= []
  }

  /** Calls the timers that came due meanwhile, in order, and no longer holds any back. */
  resume(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const callback of held) callback()
  }

  #call(callback: () => void): void {
    if (this.#held) this.#held.push(callback)
    else callback()
  }
}
