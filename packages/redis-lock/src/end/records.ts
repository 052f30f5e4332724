import type { Clock } from '@escapement/core'
import { Batch, groupBy } from '../batch.ts'
import { type ClaimTarget, type Keys, parseRecord, type TickRecord } from '../keys.ts'
import type { Node } from '../nodes/node.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Settings } from '../options.ts'
import { END } from '../scripts/index.ts'

/** What the nodes have noted of a tick. */
export interface Found {
  /** Of its last start. */
  readonly latest: TickRecord | undefined
  /** It has ended. */
  readonly over: TickRecord | undefined
  /** A record that too few nodes have: it was never given. */
  readonly stray: TickRecord | undefined
  /** No node answers. */
  readonly silent: boolean
}

interface Asked {
  readonly subject: ClaimTarget
  readonly resolve: (found: Found) => void
}

/** Reads and mends the records of ticks on all nodes. */
export class Records {
  readonly #clock: Clock
  readonly #nodes: Nodes
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #batch = new Batch<Asked>((asked) => {
    for (const group of groupBy(asked, ({ subject }) => subject.shard)) void this.#read(group)
  }, 250)

  constructor(clock: Clock, nodes: Nodes, keys: Keys, settings: Settings) {
    this.#clock = clock
    this.#nodes = nodes
    this.#keys = keys
    this.#settings = settings
  }

  read(subject: ClaimTarget): Promise<Found> {
    return new Promise((resolve) => this.#batch.add({ subject, resolve }))
  }

  async #read(asked: Asked[]): Promise<void> {
    const { all } = this.#nodes
    const keys = asked.map(({ subject }) => subject.key)
    const texts = await Promise.all(all.map((node) => node.mget(keys).catch(() => undefined)))
    for (const [i, { subject, resolve }] of asked.entries()) {
      const noted = all.flatMap((node, n) => {
        const text = texts[n]?.[i]
        return text === undefined ? [] : [{ node, record: parseRecord(text) }]
      })
      resolve(this.#judge(subject, noted))
    }
  }

  #judge({ shard }: ClaimTarget, noted: { node: Node; record: TickRecord | undefined }[]): Found {
    const { quorum } = this.#nodes
    const records = noted.map(({ record }) => record)
    const latest = records.reduce((a, b) => ((b?.start ?? 0) > (a?.start ?? 0) ? b : a), undefined)
    const lost = records.filter((record) => record?.state === 'lost')
    // Only who ran it writes `done`; `lost` is decided by the majority.
    const over =
      records.find((record) => record?.state === 'done') ?? (lost.length >= quorum ? lost[0] : undefined)
    // It would be on one of them, had the majority ever written it.
    const without = noted.filter(
      ({ node, record }) =>
        latest &&
        !record &&
        node.time.now() - node.age(shard) < claimedAt(latest) - this.#settings.maxClockSkew,
    )
    return { latest, over, stray: without.length >= quorum ? latest : undefined, silent: noted.length === 0 }
  }

  /** Nodes that have not noted the end of a run do so. */
  async clear(subject: ClaimTarget, over: TickRecord): Promise<undefined> {
    await this.#end('clear', subject, over)
  }

  /** As if it had never been claimed. */
  async withdraw(subject: ClaimTarget, record: TickRecord): Promise<undefined> {
    await this.#end('undo', subject, record)
  }

  async #end(
    what: string,
    { shard, key, job, member }: ClaimTarget,
    of: Omit<TickRecord, 'state'>,
  ): Promise<void> {
    const keys = [this.#keys.open(shard), key, this.#keys.job(job), this.#keys.prepared(job)]
    const args = [this.#settings.retention, 3, what, of.token, of.start, of.fence, member, 0]
    await Promise.allSettled(this.#nodes.all.map((node) => node.tell(END, keys, args)))
  }

  /** Whether Redis is about to forget it, or has: who has the job would have taken it up. */
  isAged({ instant }: ClaimTarget, latest: TickRecord | undefined): boolean {
    const since = instant ?? (latest && claimedAt(latest))
    if (since === undefined) return true
    const { retention, maxLate } = this.#settings
    return this.#clock.now() + (this.#nodes.skew ?? 0) - since > retention - maxLate
  }
}

/** By the clock of Redis, in ms: a fence is its time in µs. */
export function claimedAt({ fence }: { readonly fence: number }): number {
  return fence / 1000
}
