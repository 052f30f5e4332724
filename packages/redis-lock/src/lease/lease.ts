import { type Claim, type Clock, EscapementError, type Outcome, type Timer } from '@escapement/core'
import { groupBy } from '../batch.ts'
import type { CompletionWriter } from '../end/completion-writer.ts'
import { type ClaimTarget, instanceOf, type Keys, nameOf } from '../keys.ts'
import type { Node } from '../nodes/node.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Settings } from '../options.ts'
import { BEAT } from '../scripts/index.ts'

/** When a command was sent: by the monotonic clock and the wall clock, in ms. */
export interface Sent {
  readonly monotonic: number
  readonly wall: number
}

export interface HoldParts {
  readonly subject: ClaimTarget
  readonly token: string
  readonly start: number
  readonly fence: number
  readonly leased: boolean
  /** What a shutdown aborts is run again. */
  readonly rerun?: boolean
  readonly sent: Sent
}

/** A claim that is held: until its deadline, which each confirmed beat moves on. */
export class Hold implements Claim {
  readonly granted = true
  readonly subject: ClaimTarget
  readonly token: string
  readonly start: number
  readonly fence: number
  readonly leased: boolean
  readonly since: number
  /** Monotonic and wall time until which no other instance can have taken over, in ms. */
  deadline = 0
  #wallDeadline = 0
  /** When the next beat is due, on the monotonic clock. */
  beatAt = 0
  ended = false
  lost: Error | undefined
  readonly #leases: Leases
  readonly #rerun: boolean
  #listeners: ((reason: Error) => void)[] = []

  constructor(leases: Leases, parts: HoldParts) {
    this.#leases = leases
    this.subject = parts.subject
    this.token = parts.token
    this.start = parts.start
    this.fence = parts.fence
    this.leased = parts.leased
    this.since = parts.sent.monotonic
    this.#rerun = parts.rerun ?? false
    this.confirm(parts.sent)
  }

  /** A lease runs from when it was asked for: that it was given later cannot be known. */
  confirm(sent: Sent): void {
    const { lease, heartbeat } = this.#leases.settings
    const sure = safeLease(lease)
    this.deadline = sent.monotonic + sure
    this.#wallDeadline = sent.wall + sure
    this.beatAt = sent.monotonic + heartbeat
  }

  held(): boolean {
    const { clock } = this.#leases
    return !this.lost && !this.ended && clock.monotonic() < this.deadline && clock.now() < this.#wallDeadline
  }

  onLost(callback: (reason: Error) => void): () => void {
    if (this.lost) callback(this.lost)
    else this.#listeners.push(callback)
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== callback)
    }
  }

  lose(why: string): void {
    if (this.lost || this.ended) return
    const message = `${nameOf(this.subject)} lost its lease: ${why}`
    this.lost = new EscapementError('ERR_ESCAPEMENT_LEASE_LOST', message)
    this.#leases.drop(this)
    for (const listener of this.#listeners) listener(this.lost)
  }

  get restarts(): number {
    return this.start - 1
  }

  complete(outcome: Outcome): Promise<void> {
    if (this.ended) return Promise.resolve()
    this.ended = true
    this.#leases.settle(this)
    const left = outcome === 'cancelled' && this.#rerun && this.#leases.draining
    return this.#leases.ends.end(this, left || outcome === 'lease-lost' ? 'abandon' : 'done')
  }

  release(): Promise<void> {
    if (this.ended) return Promise.resolve()
    this.ended = true
    this.#leases.settle(this)
    return this.#leases.ends.end(this, 'undo')
  }
}

/** How long a lease can be relied on, in ms: clocks may run differently by 1 %, and expire 2 ms early. */
export function safeLease(lease: number): number {
  return lease * 0.99 - 2
}

/** Renews what is held, and takes it away when its time is over. One timer for all. */
export class Leases {
  readonly clock: Clock
  readonly settings: Settings
  readonly ends: CompletionWriter
  readonly held: Set<Hold> = new Set()
  /** The scheduler is being stopped. */
  draining = false
  readonly #unsettled = new Set<string>()
  readonly #nodes: Nodes
  readonly #keys: Keys
  readonly #onFenced: (hold: Hold, by: string) => void
  #timer: Timer | undefined

  constructor(parts: {
    clock: Clock
    settings: Settings
    ends: CompletionWriter
    nodes: Nodes
    keys: Keys
    onFenced: (hold: Hold, by: string) => void
  }) {
    this.clock = parts.clock
    this.settings = parts.settings
    this.ends = parts.ends
    this.#nodes = parts.nodes
    this.#keys = parts.keys
    this.#onFenced = parts.onFenced
  }

  hold(parts: HoldParts): Hold {
    const hold = new Hold(this, parts)
    this.held.add(hold)
    this.#unsettled.add(hold.token)
    if (!this.#timer) this.#sleep()
    return hold
  }

  drop(hold: Hold): void {
    this.held.delete(hold)
  }

  /** Its run has ended. */
  settle(hold: Hold): void {
    this.#unsettled.delete(hold.token)
    this.drop(hold)
  }

  /** Whether the run under this token has not ended, held or not. */
  has(token: string): boolean {
    return this.#unsettled.has(token)
  }

  /** Renews all at once: the wall clock has moved, or Redis is back. */
  renew(): void {
    for (const hold of this.held) hold.beatAt = 0
    this.#watch()
  }

  close(): void {
    if (this.#timer) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.held.clear()
    this.#unsettled.clear()
  }

  #sleep(): void {
    let wake = this.clock.monotonic() + this.settings.heartbeat / 4
    for (const { deadline } of this.held) if (deadline < wake) wake = deadline
    this.#timer = this.clock.setTimeout(this.#watch, Math.max(1, Math.ceil(wake - this.clock.monotonic())))
    this.#timer.unref?.()
  }

  #watch = (): void => {
    if (this.#timer) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    const now = this.clock.monotonic()
    const due: Hold[] = []
    for (const hold of this.held) {
      if (now >= hold.deadline) hold.lose('it could not be renewed in time')
      else if (now >= hold.beatAt) due.push(hold)
    }
    for (const group of groupBy(due, ({ subject }) => subject.shard)) {
      for (let i = 0; i < group.length; i += 64) void this.#beat(group.slice(i, i + 64))
    }
    if (this.held.size > 0) this.#sleep()
  }

  async #beat(holds: Hold[]): Promise<void> {
    const sent = { monotonic: this.clock.monotonic(), wall: this.clock.now() }
    // If this one fails, another follows soon.
    for (const hold of holds) hold.beatAt = sent.monotonic + this.settings.heartbeat / 4
    const { all, quorum } = this.#nodes
    const answers = await Promise.all(all.map((node) => this.#ask(node, holds)))
    for (const [i, hold] of holds.entries()) {
      const given = answers.map((answer) => answer?.[i])
      const fenced = given.find((text) => text?.startsWith('fenced'))
      if (fenced) {
        const by = instanceOf(fenced.slice('fenced|'.length))
        if (!hold.ended) this.#onFenced(hold, by)
        hold.lose(`${by} has taken over`)
      } else if (given.filter((text) => text === 'ok').length >= quorum) hold.confirm(sent)
      else if (given.filter((text) => text === 'over').length > all.length - quorum) hold.lose('it was over')
    }
  }

  async #ask(node: Node, holds: Hold[]): Promise<string[] | undefined> {
    const { lease, retention } = this.settings
    const { shard } = (holds[0] as Hold).subject
    const keys = [this.#keys.born(shard), this.#keys.open(shard)]
    const args: (string | number)[] = [lease, retention]
    for (const { subject, token, start, fence, leased } of holds) {
      keys.push(subject.key, this.#keys.job(subject.job))
      args.push(token, `${start}|${token}|${fence}|run`, fence, leased ? 1 : 0, subject.member)
    }
    try {
      return (await node.ask(BEAT, keys, args)).slice(1) as string[]
    } catch {
      return undefined
    }
  }
}
