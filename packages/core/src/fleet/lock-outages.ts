import type { EngineContext } from '../engine/context.ts'
import type { Fleet, FleetEvent, Timer } from '../types/index.ts'
import { describe } from '../util/describe.ts'
import { answer } from '../util/time.ts'

/** An outage that begins sooner after the one before, and ends soon, is not told: it comes and goes. In ms. */
const QUIET_MS = 60_000
/** Until another try to tell the fleet, in ms: what keeps it may be away together with the lock. */
const RETRY_DELAY_MS = 1_000
/** How long the fleet may take to answer, in ms. */
const TIMEOUT_MS = 10_000
/** What waits to be told at most. */
const MAX_EVENTS = 100
const MAX_NOTE_LENGTH = 500

/** Tells the fleet when claims of this instance begin to find the lock unavailable, and when it answers again. */
export class LockOutages {
  readonly #context: EngineContext
  readonly #fleet: Fleet
  readonly #waiting: FleetEvent[] = []
  /** An outage was told and goes on. */
  #told = false
  #toldAt = -Infinity
  #telling = false
  #timer: Timer | undefined
  /** Of an outage that has begun soon after the one before. */
  #quiet: Timer | undefined

  constructor(context: EngineContext, fleet: Fleet) {
    this.#context = context
    this.#fleet = fleet
    if (context.lock) context.lock.onChange = (error) => this.#changed(error)
  }

  close(): void {
    for (const timer of [this.#timer, this.#quiet]) if (timer) this.#context.clock.clearTimeout(timer)
  }

  /** @param error Why it is not available; undefined when it is. */
  #changed(error: unknown): void {
    const { clock, instance, redact } = this.#context
    const at = new Date(this.#context.now())
    if (this.#quiet) clock.clearTimeout(this.#quiet)
    this.#quiet = undefined
    if (error === undefined) {
      if (this.#told) this.#add({ at, instance, kind: 'lock-available' })
      this.#told = false
      return
    }
    const note = redact(describe(error).message).slice(0, MAX_NOTE_LENGTH)
    const begin = () => {
      this.#told = true
      this.#toldAt = clock.monotonic()
      this.#add({ at, instance, kind: 'lock-unavailable', note })
    }
    const wait = this.#toldAt + QUIET_MS - clock.monotonic()
    if (wait <= 0) begin()
    else {
      // One that lasts is told then.
      this.#quiet = clock.setTimeout(begin, wait)
      this.#quiet.unref?.()
    }
  }

  #add(event: FleetEvent): void {
    this.#waiting.push(event)
    if (this.#waiting.length > MAX_EVENTS) this.#waiting.shift()
    void this.#tell()
  }

  async #tell(): Promise<void> {
    if (this.#telling) return
    this.#telling = true
    const { clock } = this.#context
    try {
      for (let event = this.#waiting[0]; event; event = this.#waiting[0]) {
        await answer(clock, this.#fleet.tell?.(event), TIMEOUT_MS, 'the fleet')
        if (this.#waiting[0] === event) this.#waiting.shift()
      }
    } catch {
      // The fleet reports its troubles itself.
      this.#timer = clock.setTimeout(() => void this.#tell(), RETRY_DELAY_MS)
      this.#timer.unref?.()
    } finally {
      this.#telling = false
    }
  }
}
