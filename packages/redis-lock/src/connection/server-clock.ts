import type { Clock } from '@escapement/core'

/** A difference between the progress of two clocks that is not drift, in ms. */
const CLOCK_STEP_MS = 1000
/** No answer is under way for so long. */
const DOUBT_MS = 5000

/** The clock of one Redis, as far as its answers tell. */
export class ServerClock {
  /** Its wall time minus our monotonic time, in ms; NaN before the first answer. */
  delta: number = NaN
  /** Our wall time minus our monotonic time. */
  #own = NaN
  /** By how much it moved lately, and when it last did: an answer that was under way meanwhile shows that only later. */
  #moved = 0
  #movedAt = -Infinity
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** False while our own clocks have moved against each other a moment ago: then they are no witness. */
  get sure(): boolean {
    return this.#clock.monotonic() - this.#movedAt > DOUBT_MS
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
    const by = this.delta - before
    if (this.sure) this.#moved = 0
    if (Math.abs(own - this.#own) > CLOCK_STEP_MS) {
      this.#moved += own - this.#own
      this.#movedAt = this.#clock.monotonic()
    }
    this.#own = own
    // When our own wall clock made the same step, it was this machine that slept.
    return Math.abs(by) > CLOCK_STEP_MS && Math.abs(by - this.#moved) > CLOCK_STEP_MS ? by : 0
  }
}
