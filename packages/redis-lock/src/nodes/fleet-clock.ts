import type { Clock } from '@escapement/core'
import type { ServerClock } from '../connection/server-clock.ts'
import type { Node } from './node.ts'

/** How far the scheduler's clock may be from Redis's before it is set, in ms. */
const DEADBAND_MS = 25
/** A clock that is further off is broken, and is not followed, in ms. */
const BROKEN_CLOCK_MS = 86_400_000
/** Less of a difference is no clock that was set, in ms. */
const CLOCK_STEP_MS = 1000

/** The time that the fleet goes by: that of its Redis, or the median of several. */
export class FleetClock {
  readonly #clock: Clock
  readonly #nodes: () => readonly Node[]
  readonly #onOffset: (offset: number) => void
  #offset = 0

  constructor(clock: Clock, nodes: () => readonly Node[], onOffset: (offset: number) => void) {
    this.#clock = clock
    this.#nodes = nodes
    this.#onOffset = onOffset
  }

  /** Redis's wall time minus our monotonic time, in ms; NaN when no node has answered yet. */
  get median(): number {
    const deltas = this.#nodes().flatMap(({ time: { delta } }) => (Number.isNaN(delta) ? [] : [delta]))
    return deltas.sort((a, b) => a - b)[Math.floor(deltas.length / 2)] ?? NaN
  }

  /** The fleet's wall time, by Redis, minus this machine's, in ms; undefined when no node has answered yet. */
  get skew(): number | undefined {
    const delta = this.median
    if (Number.isNaN(delta)) return undefined
    const ahead = this.#only?.ahead(0) ?? 0
    return delta + ahead - (this.#clock.now() - this.#clock.monotonic())
  }

  /** Why no tick is due, where the clocks are too far apart. */
  get broken(): string | undefined {
    const { skew = 0 } = this
    if (Math.abs(skew) <= BROKEN_CLOCK_MS) return undefined
    const hours = Math.round(Math.abs(skew) / 3_600_000)
    return `the clocks of Redis and of this machine are ${hours} hours apart: no tick is due on both`
  }

  /** Reports a clock of the only Redis that was set and is not followed. */
  get aside(): string[] {
    const ahead = this.#only?.ahead(0) ?? 0
    if (ahead === 0) return []
    const off = Math.round(-ahead / 1000)
    return [`the clock of Redis ${this.#only?.name} was set by ${off} s, which is not followed: set it right`]
  }

  /** Sets the scheduler's clock by Redis's, so that all instances see a tick at the same moment. */
  follow(): void {
    const { skew } = this
    if (
      skew === undefined ||
      Math.abs(skew) > BROKEN_CLOCK_MS ||
      Math.abs(skew - this.#offset) <= DEADBAND_MS
    )
      return
    this.#offset = Math.abs(skew) <= DEADBAND_MS ? 0 : skew
    this.#onOffset(this.#offset)
  }

  /**
   * Whether a clock that was set is followed, this machine's own decides: if it is nearer to what the fleet went by
   * until now, the fleet goes on by that. Of several Redis clocks, one that was set is no matter.
   */
  aheadOf(time: ServerClock): number {
    const own = this.#clock.now()
    const skew = time.now() - own
    if (this.#nodes().length > 1 || Math.abs(skew) <= Math.abs(this.#offset)) return 0
    const ahead = Math.round(this.#offset - skew)
    return Math.abs(ahead) < CLOCK_STEP_MS ? 0 : ahead
  }

  get #only(): Node | undefined {
    const [node, another] = this.#nodes()
    return another ? undefined : node
  }
}
