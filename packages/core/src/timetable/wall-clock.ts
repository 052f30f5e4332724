import { show } from '../errors.ts'
import type { Clock, Logger } from '../types/index.ts'

const DAY = 86_400_000
/** As far as instants are followed, in ms: short of the range of Date, so that sums stay in it. */
const LAST = 8.64e15 - 400 * DAY

/** The wall time that jobs follow: this machine's, moved by what a better clock says. What is no time is not followed. */
export class WallClock {
  readonly #clock: Clock
  readonly #log: Logger
  /** Milliseconds added to this machine's time. */
  #offset = 0
  /** What the machine showed when it was last looked at, and the monotonic time then. */
  #wall = Number.NaN
  #mono = Number.NaN
  #lost = false
  #refused = false

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /** In ms. */
  now(): number {
    return this.machine() + this.#offset
  }

  /** What this machine shows, in ms. */
  machine(): number {
    const wall = this.#clock.now()
    return isTime(wall) ? wall : this.#guess(wall)
  }

  /** Notes what the machine shows, in case that it soon shows nothing of use. */
  look(): void {
    const wall = this.#clock.now()
    if (!isTime(wall)) return
    this.#wall = wall
    this.#mono = this.#clock.monotonic()
    if (!this.#lost) return
    this.#lost = false
    this.#log.info({}, 'the clock of this machine shows a time again')
  }

  /** Follows a better clock, unless what it says cannot be: then false. */
  adjust(offset: number): boolean {
    if (typeof offset === 'number' && Math.abs(offset) <= DAY) {
      this.#offset = offset
      this.#refused = false
      return true
    }
    if (this.#refused) return false
    this.#refused = true
    const by = typeof offset === 'number' ? `${Math.round(offset)} ms` : show(offset)
    this.#log.error(
      { offset_ms: offset },
      `a server's clock differs from this machine's by ${by}, more than a day, and is not followed: set the clock that is wrong`,
    )
    return false
  }

  /** By the monotonic clock, from when the machine last showed a time. */
  #guess(shown: unknown): number {
    const mono = this.#clock.monotonic()
    if (Number.isNaN(this.#wall)) {
      this.#wall = Date.now()
      this.#mono = mono
    }
    if (!this.#lost) {
      this.#lost = true
      this.#log.error(
        { shown },
        `the clock of this machine shows ${show(shown)}, which is no time: ticks go by the monotonic clock until it is right`,
      )
    }
    return this.#wall + mono - this.#mono
  }
}

function isTime(ms: unknown): ms is number {
  return typeof ms === 'number' && ms <= LAST && ms >= -LAST
}
