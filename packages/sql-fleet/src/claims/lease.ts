import {
  type Claim,
  type Clock,
  EscapementError,
  type Maybe,
  type Outcome,
  type Timer,
} from '@escapement/core'

export interface LeaseParts {
  clock: Clock
  /** How long this process is believed to live after its last heartbeat, in ms. */
  lease: number
  /** Between two heartbeats, in ms. */
  heartbeat: number
  /** Writes a heartbeat. False: this process was declared dead. */
  renew(): Maybe<boolean>
  /** Begins a new life: what was held before is given up, and others may take it over at once. */
  enlist(): Maybe<void>
  /** After each heartbeat, written or not. */
  onHeartbeat(error: unknown): void
}

/** A claim as it was granted. */
export interface Grant {
  /** Named in errors: the tick. */
  readonly name: string
  readonly fence: number
  readonly restarts: number
  /** Writes the end. Never rejects. */
  complete(outcome: Outcome): Promise<void>
  /** Gives the tick back: the run did not begin. Never rejects. */
  release(): Promise<void>
  /** It was lost: whoever takes over writes how it ends. */
  onLost(): void
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
  /** What was held is lost. A heartbeat that is under way may still be written, but this life is not continued. */
  #over = false

  constructor(parts: LeaseParts) {
    this.#parts = parts
  }

  /** Sends the first heartbeat. Rejects when it cannot be written. */
  async start(): Promise<void> {
    this.#open = true
    const { clock, enlist } = this.#parts
    const sent = { mono: clock.monotonic(), wall: clock.now() }
    await enlist()
    this.#over = false
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
    this.#over = true
    for (const hold of this.#held) hold.lose(why)
    this.#held.clear()
  }

  #sleep(): void {
    const { clock, heartbeat } = this.#parts
    const left = this.#deadline - clock.monotonic()
    // Another try soon when the last one failed.
    const ms = Math.max(1, Math.min(heartbeat, left > 0 ? left : heartbeat))
    this.#timer = clock.setTimeout(() => {
      void this.#tick()
      if (this.#open) this.#sleep()
    }, ms)
    this.#timer.unref?.()
  }

  async #tick(): Promise<void> {
    const { clock, renew, enlist, onHeartbeat } = this.#parts
    // After a stall, nothing is extended silently: others may have taken over.
    if (!this.trusted) this.#lose('its heartbeat could not be renewed in time')
    if (this.#beating) return
    this.#beating = true
    let fault: unknown
    let sent = { mono: clock.monotonic(), wall: clock.now() }
    try {
      if (!this.#over && !(await renew())) this.#lose('this instance was declared dead')
      if (this.#over && this.#open) {
        sent = { mono: clock.monotonic(), wall: clock.now() }
        await enlist()
        this.#over = false
      }
      if (this.#open) this.#confirm(sent)
    } catch (error) {
      // Tried again at the next heartbeat; what is held is lost at the deadline.
      fault = error
    }
    this.#beating = false
    if (this.#open) onHeartbeat(fault)
  }
}

class Hold implements Claim {
  readonly granted = true
  readonly fence: number
  readonly restarts: number
  readonly #grant: Grant
  readonly #leases: Leases
  readonly #drop: () => void
  #lost: Error | undefined
  #over = false
  #listeners: ((reason: Error) => void)[] = []

  constructor(grant: Grant, leases: Leases, drop: () => void) {
    this.fence = grant.fence
    this.restarts = grant.restarts
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
    this.#grant.onLost()
    for (const listener of this.#listeners) listener(this.#lost)
  }

  /** What is not held any more is left to whoever takes it over: its end is written only if nobody has. */
  async complete(outcome: Outcome): Promise<void> {
    if (this.#end()) await this.#grant.complete(outcome)
  }

  async release(): Promise<void> {
    if (this.#end()) await this.#grant.release()
  }

  /** False: it has ended already, or is not held any more. */
  #end(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#drop()
    return !this.#lost
  }
}
