import type { Clock, Maybe, Timer } from '@escapement/core'
import { sleep } from '@escapement/core/plugin'

/** Until the first try again, in ms; doubled by each failure, up to the second. */
const RETRY_DELAY_MS = 100
const MAX_RETRY_DELAY_MS = 2_000
/** How many are tried again together: those of one turn of the event loop may be one statement. */
const TOGETHER = 500

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
      await this.#try(token, write)
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
      await Promise.race([this.retry(), sleep(this.#clock, deadline - this.#clock.monotonic())])
      const left = deadline - this.#clock.monotonic()
      if (this.#open.size === 0 || left <= 0) break
      await sleep(this.#clock, Math.min(this.#delay, left))
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
    const open = [...this.#open]
    for (let i = 0; i < open.length; i += TOGETHER) {
      const tried = await Promise.allSettled(open.slice(i, i + TOGETHER).map((entry) => this.#try(...entry)))
      const failed = tried.find(({ status }) => status === 'rejected')
      if (failed) {
        this.#onFault((failed as PromiseRejectedResult).reason)
        this.#delay = Math.min(this.#delay * 2, MAX_RETRY_DELAY_MS)
        this.#schedule()
        // The database is away: the others wait for the next try.
        return
      }
      this.#delay = RETRY_DELAY_MS
    }
  }

  async #try(token: string, write: () => Maybe<void>): Promise<void> {
    await write()
    if (this.#open.get(token) === write) this.#open.delete(token)
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
