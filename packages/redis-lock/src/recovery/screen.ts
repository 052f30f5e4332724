import type { Clock } from '@escapement/core'
import type { CompletionWriter } from '../end/completion-writer.ts'
import { claimedAt, type Records } from '../end/records.ts'
import { type ClaimTarget, holderOf, type Keys, type TickRecord } from '../keys.ts'
import type { Leases } from '../lease/lease.ts'
import type { Node } from '../nodes/node.ts'
import type { RunObserver } from '../nodes/run-observer.ts'
import { LISTED_RUNS } from '../nodes/tend.ts'
import type { Settings } from '../options.ts'
import { type Greeting, isRestored, type Open, opens, PAGE } from '../scripts/index.ts'
import type { Case, Recover } from './recover.ts'

/** How long the others have to come back to a Redis that was away, before their runs are taken up, in ms. */
const RETURN_TIME_MS = 2000
/** How many pages of runs whose lease is over are read at a scan. */
const MAX_PAGES = 10

/** What one look at a shard has told. */
interface Look {
  readonly node: Node
  readonly born: number
  readonly instances: ReadonlySet<string>
  /** Those that were cut off have had no time to come back yet. */
  readonly early: boolean
  /** All who know of a run that Redis has forgotten have had the time to say so. */
  readonly late: boolean
}

export interface ScreenParts {
  readonly clock: Clock
  readonly settings: Settings
  readonly keys: Keys
  readonly self: string
  readonly leases: Leases
  readonly ends: CompletionWriter
  readonly records: Records
  readonly recover: Recover
  readonly observer: RunObserver
}

/** Decides which of the runs whose lease is over may be taken up: not those whose instance answers for them. */
export class Screen {
  readonly #parts: ScreenParts
  readonly #last = new WeakMap<Node, { at: number; back: number; offset: number }[]>()

  constructor(parts: ScreenParts) {
    this.#parts = parts
  }

  look(node: Node, shard: number, greeting: Greeting): void {
    const { settings } = this.#parts
    const { lease, scan } = settings
    const { now, born, instances, stale } = greeting
    const look: Look = {
      node,
      born,
      instances: new Set(instances),
      early: this.#isEarly(node, shard),
      late: now >= born + lease + 2.5 * scan,
    }
    this.#take(look, stale)
    if (stale.length === LISTED_RUNS) void this.#more(look, shard).catch(() => {})
  }

  #isEarly(node: Node, shard: number): boolean {
    const { clock, settings } = this.#parts
    const now = clock.monotonic()
    const shards = this.#last.get(node) ?? []
    this.#last.set(node, shards)
    const last = shards[shard]
    // A scan is at most a quarter late: this node was away, or this instance.
    const back = last && now - last.at < 1.5 * settings.scan ? last.back : now
    shards[shard] = { at: now, back, offset: last?.offset ?? LISTED_RUNS }
    return now < back + Math.max(settings.heartbeat, RETURN_TIME_MS)
  }

  /** Runs that nobody here can take up must not hide those behind them. */
  async #more(look: Look, shard: number): Promise<void> {
    const last = this.#last.get(look.node)?.[shard]
    if (!last) return
    for (let page = 0; page < MAX_PAGES; page++) {
      const args = [last.offset, LISTED_RUNS]
      const reply = await look.node.tell(PAGE, [this.#parts.keys.open(shard)], args)
      const listed = opens(reply.slice(1) as string[])
      last.offset = listed.length < LISTED_RUNS ? LISTED_RUNS : last.offset + LISTED_RUNS
      this.#take(look, listed)
      if (listed.length < LISTED_RUNS) return
    }
  }

  #take(look: Look, listed: readonly Open[]): void {
    const cases = listed.flatMap((open): Case[] => {
      const subject = this.#parts.keys.parse(open.member)
      if (!subject) return []
      const admits = (latest: TickRecord | undefined) => this.#admits(look, open, subject, latest)
      return [{ subject, late: look.late, admits }]
    })
    void this.#parts.recover.take(cases)
  }

  #admits(look: Look, open: Open, subject: ClaimTarget, latest: TickRecord | undefined): boolean {
    const { ends, leases, records, self, settings, observer } = this.#parts
    const restored = settings.guard && isRestored(open, look.born, settings.lease)
    if (!latest) return !look.early
    const end = ends.written(subject.member)
    if (end && end.start >= latest.start) {
      void records.clear(subject, { ...end, state: 'done' })
      return false
    }
    if (open.score <= 0 && !restored) return true
    if (open.score > 0) {
      const { token } = latest
      const holder = holderOf(token)
      if (holder === self ? leases.has(token) || ends.isPending(token) : look.instances.has(holder))
        return false
    }
    if (look.early) return false
    if (!restored || !observer.sawEnd(look.node, subject, claimedAt(latest))) return true
    void records.clear(subject, latest)
    return false
  }
}
