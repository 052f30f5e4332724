/**
 * Collects what is added within one turn of synchronous work and hands it on together, at most `size` at a
 * time: due ticks are fired in a row, so they share a round trip.
 */
export class Batch<T> {
  #items: T[] = []
  readonly #send: (items: T[]) => void
  readonly #size: number

  constructor(send: (items: T[]) => void, size = 64) {
    this.#send = send
    this.#size = size
  }

  add(item: T): void {
    if (this.#items.push(item) === 1) queueMicrotask(this.#flush)
  }

  #flush = (): void => {
    const items = this.#items
    this.#items = []
    for (let i = 0; i < items.length; i += this.#size) this.#send(items.slice(i, i + this.#size))
  }
}

/** By a number, e.g. the shard: a script call stays on one node of a Cluster. */
export function groupBy<T>(items: readonly T[], key: (item: T) => number): T[][] {
  const groups = new Map<number, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return [...groups.values()]
}
