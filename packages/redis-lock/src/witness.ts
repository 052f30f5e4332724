import { holderOf, type Keys, parseRecord, type Subject } from './keys.ts'
import type { Node } from './node.ts'
import type { Greeting } from './scripts/index.ts'

/** Members of `open`, and who has them; undefined while that is not known. */
type Runs = Map<string, string | undefined>

/** What was seen in one shard of one Redis. */
interface Seen {
  readonly born: number
  readonly open: Runs
  /** Forgotten by Redis, and not known to be over. */
  readonly forgotten: Runs
}

/**
 * Remembers who is at work on what. When a Redis comes back empty, living instances renew their leases on it; of a
 * run whose instance died just before, nobody but a witness can tell.
 */
export class Witness {
  readonly #keys: Keys
  readonly #lease: number
  readonly #seen = new WeakMap<Node, Seen[]>()

  constructor(keys: Keys, lease: number) {
    this.#keys = keys
    this.#lease = lease
  }

  /** Returns runs that Redis has forgotten and whose instances are not there any more. */
  look(node: Node, shard: number, { now, born, instances, open: listed }: Greeting): Runs {
    const shards = this.#seen.get(node) ?? []
    this.#seen.set(node, shards)
    const before = shards[shard]
    const open: Runs = new Map(listed.map((member) => [member, before?.open.get(member)]))
    const forgotten: Runs = before?.forgotten ?? new Map()
    if (before && before.born !== born) for (const [member, by] of before.open) forgotten.set(member, by)
    for (const member of listed) forgotten.delete(member)
    shards[shard] = { born, open, forgotten }
    void this.#identify(node, open)
    // Who is alive has been back within the length of a lease, or has aborted its run.
    if (now < born + this.#lease) return new Map()
    const lost = [...forgotten].filter(([, by]) => by === undefined || !instances.includes(by))
    forgotten.clear()
    return new Map(lost)
  }

  /** The run of this tick is under way. */
  saw(node: Node, { shard, member }: Subject, token: string): void {
    this.#seen.get(node)?.[shard]?.open.set(member, holderOf(token))
  }

  async #identify(node: Node, open: Runs): Promise<void> {
    const unknown = [...open].flatMap(([member, by]) =>
      by === undefined ? (this.#keys.parse(member) ?? []) : [],
    )
    if (unknown.length === 0) return
    const records = await node.mget(unknown.map(({ key }) => key)).catch(() => [])
    for (const [i, text] of records.entries()) {
      const record = parseRecord(text)
      if (record) open.set((unknown[i] as Subject).member, holderOf(record.token))
    }
  }
}
