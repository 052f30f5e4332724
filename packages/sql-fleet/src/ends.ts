import type { Clock, Maybe, Timer } from '@escapement/core'

/** Until the first try again, in ms; doubled by each failure, up to the second. */
const RETRY_DELAY_MS = 100
const MAX_RETRY_DELAY_MS = 2_000

/** Writes of ends and withdrawals: each is tried until it is written, whoever waits for it or not. */
export class Ends {
  readonly #clock: Clock
  readonly #onFault: (error: unknown) => void
  /** Not written yet, by token. */
  readonly #open = new Map<string, () => Maybe<void>>()
  #timer: Timer | undefined
  #delay = RETRY_DELAY_MS
  #retrying: Promise<void> | undefined
  #closed = false

  constructor(clock: Clock, onFault: (error: unknown) => void) {
    this.#clock = clock
    this.#onFault = onFault
  }

  has(token: string): boolean {
    return this.#open.has(token)
  }

  get size(): number {
    return this.#open.size
  }

  /** Resolves when it is written or the first try has failed: the next ones go on by themselves. Never rejects. */
  async write(token: string, write: () => Maybe<void>): Promise<void> {
    this.#closed = false
    this.#open.set(token, write)
    try {
      await write()
      if (this.#open.get(token) === write) this.#open.delete(token)
    } catch (error) {
      this.#onFault(error)
      this.#schedule()
    }
  }

  /** Tries all again now. */
  retry(): Promise<void> {
    this.#retrying ??= this.#retry().finally(() => {
      this.#retrying = undefined
    })
    return this.#retrying
  }

  /** Tries until all is written, at most `ms`. Returns how many are left. */
  async flush(ms: number): Promise<number> {
    const deadline = this.#clock.monotonic() + ms
    while (this.#open.size > 0) {
      await this.retry()
      const left = deadline - this.#clock.monotonic()
      if (this.#open.size === 0 || left <= 0) break
      await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, Math.min(this.#delay, left)))
    }
    return this.#open.size
  }

  close(): void {
    this.#closed = true
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#open.clear()
  }

  async #retry(): Promise<void> {
    for (const [token, write] of [...this.#open]) {
      try {
        await write()
        if (this.#open.get(token) === write) this.#open.delete(token)
        this.#delay = RETRY_DELAY_MS
      } catch (error) {
        this.#onFault(error)
        this.#delay = Math.min(this.#delay * 2, MAX_RETRY_DELAY_MS)
        this.#schedule()
        // One failure stands for all: the database is away.
        return
      }
    }
  }

  #schedule(): void {
    if (this.#timer || this.#closed) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      void this.retry()
    }, this.#delay)
    this.#timer.unref?.()
  }
}
