import type { Clock, Timer } from '@escapement/core'
import { GUARDED, marked, type Script } from '../scripts/index.ts'
import { ServerClock } from './server-clock.ts'

/** A part of the keys: all of them on a single Redis; on a Cluster, what one of its masters has. */
export class Shard {
  readonly index: number
  /** True when it has been greeted on this connection and answers. */
  usable: boolean = false
  /** Names the server that answered last. */
  id = ''
  /** When it did so, on the monotonic clock. */
  heard = 0
  /** Since when the server has forgotten nothing, in ms of its wall time. */
  born: number | undefined
  /** The clock of its server. */
  readonly time: ServerClock
  /** Whether it was set, forward (1) or back (-1), and that was not told yet. */
  stepped: -1 | 0 | 1 = 0
  /** The fleet's time minus its time, in ms, where its clock was set and the fleet did not follow. */
  ahead = 0
  /** Commands under way, also those that are not waited for any more. */
  unanswered = 0
  failed = 0
  /** What the scripts are marked with, where INFO is forbidden. */
  #mark = ''
  readonly #marked = new Map<Script, Script>()
  readonly #sent = new Set<string>()
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor(index: number, clock: Clock) {
    this.index = index
    this.time = new ServerClock(clock)
    this.#clock = clock
  }

  /** Whether a probe is planned. */
  get waits(): boolean {
    return this.#timer !== undefined
  }

  /** Plans a probe, in ms. */
  probeAfter(ms: number, probe: () => void): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      probe()
    }, ms)
    this.#timer.unref?.()
  }

  /** The connection is lost: what was planned and what the server had is void. */
  lose(): void {
    this.usable = false
    this.renew()
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Another connection may lead to another server, and a user may have been given other rights. */
  renew(): void {
    this.#sent.clear()
    this.mark = ''
  }

  get mark(): string {
    return this.#mark
  }

  set mark(mark: string) {
    if (mark === this.#mark) return
    this.#mark = mark
    this.#marked.clear()
  }

  /** The script as it is called here. */
  variant(script: Script): Script {
    if (!this.#mark || !GUARDED.includes(script)) return script
    const known = this.#marked.get(script) ?? marked(script, this.#mark)
    this.#marked.set(script, known)
    return known
  }

  /** Whether the server had the script when it last answered. */
  has({ sha }: Script): boolean {
    return this.#sent.has(sha)
  }

  sent({ sha }: Script): void {
    this.#sent.add(sha)
  }
}
