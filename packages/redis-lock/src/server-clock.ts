import type { Clock } from '@escapement/core'

/** A difference between the progress of two clocks that is not drift, in ms. */
const STEP = 1000

/** The clock of one Redis, as far as its answers tell. */
export class ServerClock {
  /** Its wall time minus our monotonic time, in ms; NaN before the first answer. */
  delta: number = NaN
  /** False when our own clocks moved against each other before the last answer: then they are no witness. */
  sure = true
  /** Our wall time minus our monotonic time. */
  #own = NaN
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.monotonic() + this.delta
  }

  /**
   * It was `now` at some moment between `sent` and `received`, which are monotonic times of ours. Returns by how
   * much that clock was set since the last answer, in ms.
   */
  learn(sent: number, received: number, now: number): number {
    const low = now - received
    const high = now + 1 - sent
    const before = this.delta
    this.delta = Number.isNaN(before) ? (low + high) / 2 : Math.min(Math.max(before, low), high)
    const own = this.#clock.now() - this.#clock.monotonic()
    const ownBy = own - this.#own
    const by = this.delta - before
    this.#own = own
    this.sure = !(Math.abs(ownBy) > STEP)
    // When our own wall clock made the same step, it was this machine that slept.
    return Math.abs(by) > STEP && Math.abs(by - ownBy) > STEP ? by : 0
  }
}
