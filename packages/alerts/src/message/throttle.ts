import { type Clock, parseDuration } from '@escapement/core'
import { checkKeys, integer } from '@escapement/core/plugin'
import type { AlertsOptions } from '../types/options.ts'

/** A number of messages in `per` ms. */
export interface ThrottleLimit {
  readonly messages: number
  readonly per: number
}

/** A budget of messages that fills again evenly. */
export class Throttle {
  readonly #clock: Clock
  readonly #limit: ThrottleLimit | undefined
  #tokens: number
  #filledAt: number

  /** @param limit Undefined: any number. */
  constructor(clock: Clock, limit: ThrottleLimit | undefined) {
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

/** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION */
export function parseThrottle(throttle: AlertsOptions['throttle']): ThrottleLimit | undefined {
  const given = throttle ?? { messages: 30, per: '1h' }
  if (!given) return undefined
  checkKeys(given, { messages: 1, per: 1 }, 'throttle option')
  return {
    messages: integer('throttle.messages', given.messages, 1),
    per: parseDuration(given.per, 'throttle.per', { min: 1 }),
  }
}
