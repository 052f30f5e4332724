import type { Clock } from '@escapement/core'

/** A budget of messages that fills again evenly. */
export class Throttle {
  readonly #clock: Clock
  readonly #limit: { messages: number; per: number } | undefined
  #tokens: number
  #filledAt: number

  /** @param limit A number of messages in `per` ms; undefined: any number. */
  constructor(clock: Clock, limit: { messages: number; per: number } | undefined) {
    this.#clock = clock
    this.#limit = limit
    this.#tokens = limit?.messages ?? Infinity
    this.#filledAt = clock.monotonic()
  }

  /** Messages that may be sent now. */
  get left(): number {
    const limit = this.#limit
    if (!limit) return Infinity
    const passed = this.#clock.monotonic() - this.#filledAt
    this.#filledAt += passed
    this.#tokens = Math.min(limit.messages, this.#tokens + (passed / limit.per) * limit.messages)
    return this.#tokens
  }

  /** Milliseconds until one may be sent. */
  get wait(): number {
    const { left } = this
    return !this.#limit || left >= 1 ? 0 : Math.ceil(((1 - left) / this.#limit.messages) * this.#limit.per)
  }

  take(): void {
    this.#tokens--
  }
}
