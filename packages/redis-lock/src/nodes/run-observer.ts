import { type ClaimTarget, holderOf, type Keys, parseRecord } from '../keys.ts'
import { type Greeting, isRestored } from '../scripts/index.ts'
import type { Node } from './node.ts'

/** Members of `open`, and which instance has them; undefined while that is not known. */
type Runs = Map<string, string | undefined>

/** What was seen in one shard of one Redis. */
interface Seen {
  readonly born: number
  /** By the clock of Redis. */
  readonly now: number
  /** Without those that Redis knows from before its birth. */
  readonly open: Runs
  /** There were some of those. */
  readonly mixed: boolean
  /** Forgotten by Redis, and not known to be over. */
  readonly forgotten: Runs
  /** The last look at a Redis that had forgotten nothing. */
  readonly whole: { readonly now: number; readonly open: Runs } | undefined
}

/**
 * Remembers which instance is at work on which run. When a Redis comes back empty, or as it was a while ago, living instances renew
 * their leases on it; of a run whose instance died just before, only an observer can tell.
 */
export class RunObserver {
  readonly #keys: Keys
  readonly #lease: number
  readonly #seen = new WeakMap<Node, Seen[]>()

  constructor(keys: Keys, lease: number) {
    this.#keys = keys
    this.#lease = lease
  }

  /** Returns runs that Redis has forgotten and whose instances are not there any more. */
  look(node: Node, shard: number, { now, born, instances, stale, running }: Greeting): Runs {
    const shards = this.#seen.get(node) ?? []
    this.#seen.set(node, shards)
    const before = shards[shard]
    const listed = [...stale, ...running]
    const known = listed.filter((open) => !isRestored(open, born, this.#lease)).map(({ member }) => member)
    const open: Runs = new Map(known.map((member) => [member, before?.open.get(member)]))
    const forgotten: Runs = before?.forgotten ?? new Map()
    let whole = before?.whole
    if (before && before.born !== born) {
      for (const [member, by] of before.open) forgotten.set(member, by)
      if (!before.mixed) whole = { now: before.now, open: before.open }
    }
    for (const member of known) forgotten.delete(member)
    shards[shard] = { born, now, open, mixed: known.length < listed.length, forgotten, whole }
    void this.#identify(node, open)
    // An instance that is alive has been back within the length of a lease, or has aborted its run.
    if (now < born + this.#lease) return new Map()
    const lost = [...forgotten].filter(([, by]) => by === undefined || !instances.includes(by))
    forgotten.clear()
    return new Map(lost)
  }

  /** The run of this tick is under way. */
  saw(node: Node, { shard, member }: ClaimTarget, token: string): void {
    this.#seen.get(node)?.[shard]?.open.set(member, holderOf(token))
  }

  /** Whether a run, claimed at an instant of Redis's clock, had ended before Redis forgot how it went on. */
  sawEnd(node: Node, { shard, member }: ClaimTarget, claimed: number): boolean {
    const whole = this.#seen.get(node)?.[shard]?.whole
    return whole !== undefined && claimed < whole.now && !whole.open.has(member)
  }

  async #identify(node: Node, open: Runs): Promise<void> {
    const unknown = [...open].flatMap(([member, by]) =>
      by === undefined ? (this.#keys.parse(member) ?? []) : [],
    )
    if (unknown.length === 0) return
    const records = await node.mget(unknown.map(({ key }) => key)).catch(() => [])
    for (const [i, text] of records.entries()) {
      const record = parseRecord(text)
      if (record) open.set((unknown[i] as ClaimTarget).member, holderOf(record.token))
    }
  }
}
