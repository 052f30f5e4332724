import type { Clock, Logger, Timer } from '@escapement/core'
import type { Cause } from '../connection/cause.ts'
import { Trouble } from '../connection/trouble.ts'

/** How the nodes of a lock stand, all together. */
export interface Standing {
  readonly nodes: number
  readonly quorum: number
  /** How many nodes count. */
  readonly up: number
  /** Too few of them do. */
  readonly down: boolean
  /** The names of two nodes that are one server. */
  readonly twins: readonly [string, string] | undefined
  /** How long no lease is given yet, in ms. */
  readonly hold: number
}

/** What becomes of ticks meanwhile. */
export const NOTHING = 'no tick can be claimed, and onLockUnavailable decides what becomes of it'

/** What is wrong not with one Redis but with all together: too few can be used, or they give no lease yet. */
export class FleetTrouble {
  readonly #clock: Clock
  readonly #minority: Trouble
  readonly #young: Trouble
  #timer: Timer | undefined

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#minority = new Trouble(
      clock,
      ({ what, advice }) => log.error({}, `redis-lock: ${what}: ${advice}`),
      (ms) => log.info({}, `redis-lock: enough Redis nodes can be used again, after ${seconds(ms)}`),
    )
    this.#young = new Trouble(
      clock,
      ({ what, advice }) => log.warn({}, `redis-lock: ${what}. ${advice}`),
      (ms) => log.info({}, `redis-lock: leases are given again, after ${seconds(ms)}`),
    )
  }

  get reasons(): string[] {
    return [this.#minority, this.#young].flatMap(({ cause }) => cause?.what ?? [])
  }

  /** @param again Asks for a review when leases are given again. */
  set({ nodes, quorum, up, down, twins, hold }: Standing, again: () => void): void {
    const few = `only ${up} of ${nodes} Redis nodes can be used, and ${quorum} are needed`
    const what = twins
      ? `the clients of Redis ${twins[0]} and of Redis ${twins[1]} lead to one server, which counts once`
      : few
    const advice = down ? NOTHING : 'give clients for different servers'
    const alone = nodes === 1 || !(down || twins)
    this.#minority.set(
      alone ? undefined : { kind: twins ? 'twins' : 'minority', what, advice, lasting: false },
    )
    this.#stop()
    if (down) return
    this.#young.set(hold === 0 ? undefined : this.#youth(hold))
    if (hold === 0) return
    this.#timer = this.#clock.setTimeout(again, hold + 1)
    this.#timer.unref?.()
  }

  #youth(hold: number): Cause {
    const until = new Date(this.#clock.now() + hold).toISOString()
    return {
      kind: 'young',
      what: `Redis was started or replaced, or its clock was set, less than a lease ago: no lease is given before ${until}`,
      advice: 'Until then only jobs with overlap: allow are run. A shorter lease makes this shorter.',
      lasting: false,
    }
  }

  tell(): void {
    this.#minority.tell()
    this.#young.tell()
  }

  close(): void {
    this.#stop()
    this.#minority.close()
    this.#young.close()
  }

  #stop(): void {
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`
}
