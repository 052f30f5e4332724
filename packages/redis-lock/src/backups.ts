import type { Clock } from '@escapement/core'
import { groupBy } from './batch.ts'
import { parseRecord, type Subject } from './keys.ts'
import type { Nodes } from './nodes.ts'
import type { Witness } from './witness.ts'

interface Look {
  readonly subject: Subject
  /** The token that has it; undefined if nobody is known to. */
  readonly resolve: (token: string | undefined) => void
}

/** Ticks that are fired within so many ms are looked after together. */
const BURST = 10

/** Looks, a little after the instant, whether ticks have been claimed: many at a time, with one MGET. */
export class Backups {
  readonly #clock: Clock
  readonly #nodes: Nodes
  readonly #witness: Witness
  /** By delay: what is added in one burst goes together. */
  readonly #collecting = new Map<number, Look[]>()

  constructor(clock: Clock, nodes: Nodes, witness: Witness) {
    this.#clock = clock
    this.#nodes = nodes
    this.#witness = witness
  }

  look(subject: Subject, delay: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const look = { subject, resolve }
      const looks = this.#collecting.get(delay)
      if (looks) {
        looks.push(look)
        return
      }
      const fresh = [look]
      this.#collecting.set(delay, fresh)
      if (this.#collecting.size === 1) this.#clock.setTimeout(() => this.#collecting.clear(), BURST).unref?.()
      this.#clock.setTimeout(() => void this.#read(fresh), delay).unref?.()
    })
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
