import { holderOf, type Keys, parseRecord, type Subject } from './keys.ts'
import type { Node } from './node.ts'
import type { Greeting } from './scripts/index.ts'

/** What was seen in one shard of one Redis: members of `open`, and who has them. */
interface Seen {
  readonly born: number
  readonly open: Map<string, string>
  /** Forgotten by Redis, and not known to be over. */
  readonly forgotten: Map<string, string>
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

  /** Returns runs that Redis has forgotten and whose instances are not there any more: members, and who had them. */
  look(node: Node, shard: number, { now, born, instances, stale, held }: Greeting): Map<string, string> {
    const shards = this.#seen.get(node) ?? []
    this.#seen.set(node, shards)
    const before = shards[shard]
    const open = new Map([...stale, ...held].map((member) => [member, before?.open.get(member) ?? '']))
    const forgotten = before?.forgotten ?? new Map<string, string>()
    if (before && before.born !== born) for (const [member, by] of before.open) forgotten.set(member, by)
    for (const member of open.keys()) forgotten.delete(member)
    shards[shard] = { born, open, forgotten }
    void this.#identify(node, open)
    // Who is alive has been back within the length of a lease, or has aborted its run.
    if (now < born + this.#lease) return new Map()
    const lost = [...forgotten].filter(([, by]) => !instances.includes(by))
    forgotten.clear()
    return new Map(lost)
  }

  /** The run of this tick is under way. */
  saw(node: Node, { shard, member }: Subject, token: string): void {
    this.#seen.get(node)?.[shard]?.open.set(member, holderOf(token))
  }

  async #identify(node: Node, open: Map<string, string>): Promise<void> {
    const unknown = [...open].flatMap(([member, by]) => (by === '' ? (this.#keys.parse(member) ?? []) : []))
    if (unknown.length === 0) return
    const records = await node.mget(unknown.map(({ key }) => key)).catch(() => [])
    for (const [i, text] of records.entries()) {
      const record = parseRecord(text)
      if (record) open.set((unknown[i] as Subject).member, holderOf(record.token))
    }
  }
}
