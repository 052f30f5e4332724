import type { Clock } from '../types/index.ts'
import { LivedTime } from './lived-time.ts'

/** A difference between wall and monotonic time that counts as a step, in ms. */
const STEP_MS = 1_000
/** Set back by more than this, jobs carry on with the new time; by less, they wait for it. In ms. */
const LONG_STEP_MS = 60_000

export interface ClockStepsParts {
  readonly clock: Clock
  readonly wallClock: { look(): void }
  /** Wall time in ms. */
  now(): number
  /** The wall clock has moved by `by` ms. */
  onStep(by: number): void
  /** The wall clock was set back for long. Ticks that have not run may be due from `from` (ms) on. */
  onBack(wall: number, from: number): void
}

/** Compares the wall clock with the monotonic one, and knows which wall time was met before. */
export class ClockSteps {
  readonly lived: LivedTime = new LivedTime()
  /** How often the clock has been set back for long. */
  fold = 0
  readonly #parts: ClockStepsParts
  /** Wall and monotonic time at the last look. */
  #wall = NaN
  #mono = NaN
  /** The latest wall time seen, and the latest before the last step back. */
  #high = -Infinity
  #folded = -Infinity

  constructor(parts: ClockStepsParts) {
    this.#parts = parts
  }

  /** Looks at the clock, and whether it was set since the last look. */
  notice(): void {
    const { clock, wallClock } = this.#parts
    wallClock.look()
    let wall = this.#parts.now()
    const mono = clock.monotonic()
    const last = this.#wall
    const passed = mono - this.#mono
    const by = wall - last - passed
    if (Math.abs(by) >= STEP_MS) {
      this.#parts.onStep(by)
      // A plugin that knows a better clock may have set ours by it: then nothing has happened.
      wall = this.#parts.now()
    }
    this.#wall = wall
    this.#mono = mono
    this.lived.begin(wall)
    if (wall - last - passed > LONG_STEP_MS) this.lived.ahead(last, wall, mono)
    if (wall >= this.#high - LONG_STEP_MS) this.#high = Math.max(this.#high, wall)
    else this.#setBack(wall, mono)
  }

  /** Whether the clock showed this instant (ms) before it was set back. */
  isRepeated(at: number): boolean {
    return at <= this.#folded
  }

  #setBack(wall: number, mono: number): void {
    this.fold++
    this.#folded = Math.max(this.#folded, this.#high)
    const from = this.lived.back({ high: this.#high, wall, mono, tolerance: LONG_STEP_MS })
    this.#high = wall
    this.#parts.onBack(wall, from)
  }
}
