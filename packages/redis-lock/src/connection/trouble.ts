import type { Clock, Timer } from '@escapement/core'
import type { Cause } from './cause.ts'

/** What is over sooner is not worth a line, in ms; and by then the true cause is known, or a little later. */
const REPORT_AFTER_MS = 1000
const REPORT_AT_LATEST_MS = 3000

/** A state that is reported once when it begins, and once when it is over. */
export class Trouble {
  #cause: Cause | undefined
  readonly #clock: Clock
  readonly #begins: (cause: Cause) => void
  readonly #isOver: (ms: number) => void
  #since = 0
  #timer: Timer | undefined
  /** Kinds that a line told. */
  readonly #told = new Set<string>()

  constructor(clock: Clock, begins: (cause: Cause) => void, isOver: (ms: number) => void) {
    this.#clock = clock
    this.#begins = begins
    this.#isOver = isOver
  }

  get cause(): Cause | undefined {
    return this.#cause
  }

  /** The cause as far as it is known now; undefined when there is no trouble. */
  set(cause: Cause | undefined): void {
    const before = this.#cause
    this.#cause = cause
    if (!cause) {
      if (!before) return
      this.#clear()
      if (this.#told.size > 0) this.#isOver(this.#clock.monotonic() - this.#since)
      this.#told.clear()
      return
    }
    if (!before) this.#since = this.#clock.monotonic()
    // Another cause that somebody has to do something about: a line of its own.
    const news = this.#told.size === 0 || (cause.lasting && !this.#told.has(cause.kind))
    if (!news || this.#timer) return
    this.#wait()
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => this.tell(), REPORT_AFTER_MS)
    this.#timer.unref?.()
  }

  /** Now, unless the true cause may come yet, what has not been told. */
  tell(): void {
    this.#clear()
    const cause = this.#cause
    if (cause?.vague && this.#clock.monotonic() - this.#since < REPORT_AT_LATEST_MS) this.#wait()
    else if (cause) this.#tell(cause)
  }

  #tell(cause: Cause): void {
    if (this.#told.has(cause.kind) || (this.#told.size > 0 && !cause.lasting)) return
    this.#told.add(cause.kind)
    this.#begins(cause)
  }

  /** Says nothing any more. */
  close(): void {
    this.#clear()
    this.#told.clear()
    this.#cause = undefined
  }

  #clear(): void {
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
