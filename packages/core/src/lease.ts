import { EscapementError } from './errors.ts'
import type { Claim, Clock, Maybe, Outcome, Timer } from './interfaces.ts'

export interface LeaseParts {
  clock: Clock
  /** How long this process is believed to live after its last heartbeat, in ms. */
  lease: number
  /** Between two heartbeats, in ms. */
  beat: number
  /**
   * Writes a heartbeat. False: this process was declared dead. `anew`: what was held before is given up and
   * others may take it over at once; the heartbeat is the first of a new life.
   */
  renew(anew: boolean): Maybe<boolean>
  /** After each heartbeat. Faults are the caller's. */
  onBeat?(): void
}

/** A claim as its backend gives it. */
export interface Grant {
  /** Named in errors: the tick. */
  readonly name: string
  readonly fence: number
  readonly start: number
  finish(outcome: Outcome): Promise<void>
}

/**
 * The heartbeat of a process and all it holds by it: for locks whose backend keeps one heartbeat for each
 * process, not one for each claim. What is held is trusted until the lease after the last confirmed heartbeat
 * is over, judged locally and from the moment the heartbeat was sent; then it is lost for good.
 */
export class Leases {
  readonly #parts: LeaseParts
  readonly #held = new Set<Hold>()
  #timer: Timer | undefined
  /** Monotonic and wall time until which nobody can have declared this process dead. */
  #deadline = -Infinity
  #wallDeadline = -Infinity
  #beating = false
  #open = false

  constructor(parts: LeaseParts) {
    this.#parts = parts
  }

  /** Sends the first heartbeat. Rejects when it cannot be written. */
  async start(): Promise<void> {
    this.#open = true
    const { clock, renew } = this.#parts
    const sent = { mono: clock.monotonic(), wall: clock.now() }
    await renew(true)
    this.#confirm(sent)
    this.#sleep()
  }

  /** No more heartbeats. What is still held is lost. */
  stop(): void {
    this.#open = false
    if (this.#timer) this.#parts.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#lose('the lock was closed')
  }

  /** Whether claims may be made and relied on. */
  get trusted(): boolean {
    const { clock } = this.#parts
    return clock.monotonic() < this.#deadline && clock.now() < this.#wallDeadline
  }

  /** Takes a granted claim under the heartbeat. */
  hold(grant: Grant): Claim {
    const hold = new Hold(grant, this, () => this.#held.delete(hold))
    this.#held.add(hold)
    return hold
  }

  #confirm({ mono, wall }: { mono: number; wall: number }): void {
    // Clocks may run differently by 1 %.
    const sure = this.#parts.lease * 0.99 - 2
    this.#deadline = mono + sure
    this.#wallDeadline = wall + sure
  }

  #lose(why: string): void {
    for (const hold of this.#held) hold.lose(why)
    this.#held.clear()
  }

  #sleep(): void {
    const { clock, beat } = this.#parts
    const left = this.#deadline - clock.monotonic()
    // Another try soon when the last one failed.
    const ms = Math.max(1, Math.min(beat, left > 0 ? left : beat))
    this.#timer = clock.setTimeout(() => {
      void this.#tick()
      if (this.#open) this.#sleep()
    }, ms)
    this.#timer.unref?.()
  }

  async #tick(): Promise<void> {
    const { clock, renew, onBeat } = this.#parts
    // After a stall, nothing is extended silently: others may have taken over.
    const stalled = !this.trusted
    if (stalled) this.#lose('its heartbeat could not be renewed in time')
    if (this.#beating) return
    this.#beating = true
    let sent = { mono: clock.monotonic(), wall: clock.now() }
    try {
      if (!(await renew(stalled))) {
        this.#lose('this instance was declared dead')
        sent = { mono: clock.monotonic(), wall: clock.now() }
        await renew(true)
      }
      if (this.#open) this.#confirm(sent)
    } catch {
      // Tried again at the next beat; what is held is lost at the deadline.
    }
    this.#beating = false
    if (this.#open) onBeat?.()
  }
}

class Hold implements Claim {
  readonly granted = true
  readonly fence: number
  readonly start: number
  readonly #grant: Grant
  readonly #leases: Leases
  readonly #drop: () => void
  #lost: Error | undefined
  #over = false
  #listeners: ((reason: Error) => void)[] = []

  constructor(grant: Grant, leases: Leases, drop: () => void) {
    this.fence = grant.fence
    this.start = grant.start
    this.#grant = grant
    this.#leases = leases
    this.#drop = drop
  }

  held(): boolean {
    return !this.#lost && !this.#over && this.#leases.trusted
  }

  onLost(callback: (reason: Error) => void): () => void {
    if (this.#lost) callback(this.#lost)
    else this.#listeners.push(callback)
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== callback)
    }
  }

  lose(why: string): void {
    if (this.#lost || this.#over) return
    this.#lost = new EscapementError(
      'ERR_ESCAPEMENT_LEASE_LOST',
      `${this.#grant.name} lost its lease: ${why}`,
    )
    for (const tell of this.#listeners) tell(this.#lost)
  }

  async finish(outcome: Outcome): Promise<void> {
    if (this.#over) return
    this.#over = true
    this.#drop()
    // What was lost is for whoever takes over.
    if (!this.#lost) await this.#grant.finish(outcome)
  }
}

/**
 * Runs `fn` under a mutex that is asked for until it is free, a little apart each time.
 *
 * @param acquire Gives the claim, or undefined while another holder has it.
 */
export async function exclusively<T>(
  clock: Clock,
  acquire: () => Promise<Claim | undefined>,
  fn: (signal: AbortSignal) => Maybe<T>,
  signal?: AbortSignal,
): Promise<T> {
  let claim: Claim | undefined
  for (let wait = 20; !claim; wait = Math.min(wait * 2, 500)) {
    signal?.throwIfAborted()
    claim = await acquire()
    if (!claim)
      await new Promise<void>((resolve) => clock.setTimeout(resolve, wait * (0.5 + Math.random() / 2)))
  }
  const lost = new AbortController()
  const undo = claim.onLost((reason) => lost.abort(reason))
  try {
    return await fn(signal ? AbortSignal.any([signal, lost.signal]) : lost.signal)
  } finally {
    undo()
    await claim.finish('succeeded')
  }
}
