import type { Host } from '@escapement/core'

/** A machine's clock this far from Redis's is worth a warning, in ms. */
const SKEW_WARNING_MS = 1000

/** Sets the scheduler's clock by that of Redis, and tells when the two are far apart. */
export class ClockSkew {
  readonly #host: Host
  readonly #max: number
  #told = 0

  /** @param max What differs by more is an error, in ms. */
  constructor(host: Host, max: number) {
    this.#host = host
    this.#max = max
  }

  /** Redis's clock differs from this machine's by so much, in ms. */
  set(offset: number): void {
    // The scheduler has said that it does not follow.
    if (this.#host.adjustClock(offset) === false) return
    if (Math.abs(offset - this.#told) < SKEW_WARNING_MS) return
    this.#told = offset
    const text = `this machine's clock differs from Redis's by ${Math.round(offset)} ms: the schedule follows Redis`
    if (Math.abs(offset) >= SKEW_WARNING_MS) this.#tell(offset, text)
  }

  /** The clock of a node was set by so much, in ms. */
  stepped(node: string, by: number): void {
    this.#tell(by, `the clock of Redis ${node} was set by ${Math.round(by)} ms`, node)
  }

  #tell(skew: number, message: string, node?: string): void {
    const ms = Math.round(skew)
    const level = Math.abs(ms) > this.#max ? 'error' : 'warn'
    this.#host.log[level]({ skew_ms: ms, node }, `redis-lock: ${message}`)
    this.#host.emit('clock-skew', { skew: ms, ...(node !== undefined && { node }) })
  }
}
