import { type Clock, EscapementError, type Timer } from '@escapement/core'
import type { Lock } from 'redlock'
import type { Settings } from '../options.ts'
import { safeLease } from './lease.ts'

/** A mutex as it was granted. */
export interface Held {
  readonly lock: Lock
  /** How long it can be relied on, on the monotonic clock. */
  readonly until: number
}

interface MutexHoldParts {
  readonly name: string
  readonly clock: Clock
  readonly settings: Settings
}

/** A mutex that is held: renewed until it is released, or lost at its deadline. */
export class MutexHold {
  readonly #parts: MutexHoldParts
  readonly #lost = new AbortController()
  #lock: Lock
  #until: number
  #timer: Timer
  #nextBeat: number
  #extending: Promise<void> | undefined
  #over = false

  constructor({ lock, until }: Held, parts: MutexHoldParts) {
    const { clock, settings } = parts
    this.#parts = parts
    this.#lock = lock
    this.#until = until
    this.#nextBeat = clock.monotonic() + settings.heartbeat
    this.#timer = this.#sleep(settings.heartbeat)
  }

  /** Aborts when the hold is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  async release(): Promise<void> {
    this.#over = true
    this.#parts.clock.clearTimeout(this.#timer)
    await this.#extending
    // A hold that is over needs no release, and what fails expires by itself.
    await this.#lock.release().catch(() => {})
  }

  #sleep(ms: number): Timer {
    const timer = this.#parts.clock.setTimeout(() => this.#watch(), ms)
    timer.unref?.()
    return timer
  }

  #watch(): void {
    if (this.#over) return
    const { name, clock, settings } = this.#parts
    const now = clock.monotonic()
    if (now >= this.#until) {
      const message = `the hold on ${JSON.stringify(name)} was lost`
      this.#lost.abort(new EscapementError('ERR_ESCAPEMENT_LEASE_LOST', message))
      return
    }
    if (now >= this.#nextBeat && !this.#extending) {
      this.#nextBeat = now + settings.heartbeat
      this.#extending = this.#extend().finally(() => {
        this.#extending = undefined
      })
    }
    const wake = Math.min(this.#nextBeat, this.#until)
    this.#timer = this.#sleep(Math.max(5, Math.ceil(wake - now)))
  }

  async #extend(): Promise<void> {
    const { clock, settings } = this.#parts
    const sent = clock.monotonic()
    try {
      this.#lock = await this.#lock.extend(settings.lease)
      this.#until = sent + safeLease(settings.lease)
    } catch {
      // Tried again at the next beat, until the deadline.
    }
  }
}
