import { Batch, groupBy } from './batch.ts'
import { parseRecord, type Subject } from './keys.ts'
import type { Nodes } from './nodes.ts'
import type { Witness } from './witness.ts'

interface Look {
  readonly subject: Subject
  /** The token that has it; undefined if nobody is known to. */
  readonly resolve: (token: string | undefined) => void
}

/** Looks, a little after the instant, whether ticks have been claimed: many at a time, with one MGET. */
export class Backups {
  readonly #nodes: Nodes
  readonly #witness: Witness
  readonly #batch = new Batch<Look>((looks) => void this.#read(looks), 1000)

  constructor(nodes: Nodes, witness: Witness) {
    this.#nodes = nodes
    this.#witness = witness
  }

  look(subject: Subject): Promise<string | undefined> {
    return new Promise((resolve) => this.#batch.add({ subject, resolve }))
  }

  async #read(looks: Look[]): Promise<void> {
    const node = this.#nodes.any()
    for (const group of groupBy(looks, ({ subject }) => subject.shard)) {
      const records = await node?.mget(group.map(({ subject }) => subject.key)).catch(() => undefined)
      for (const [i, { subject, resolve }] of group.entries()) {
        const record = parseRecord(records?.[i])
        if (node && record?.state === 'run') this.#witness.saw(node, subject, record.token)
        resolve(record?.token)
      }
    }
  }
}
