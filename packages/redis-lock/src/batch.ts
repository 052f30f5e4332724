/** How long a batch may grow, in ms. */
const MAX_BATCH_MS = 4

/**
 * Collects what is added in one burst and hands it on together, at most `size` at a time: due ticks are fired in a
 * row, in slices, so they share a round trip. A burst is over when the loop has turned without an addition.
 */
export class Batch<T> {
  #items: T[] = []
  #seen = 0
  #since = 0
  readonly #send: (items: T[]) => void
  readonly #size: number

  constructor(send: (items: T[]) => void, size = 64) {
    this.#send = send
    this.#size = size
  }

  add(item: T): void {
    if (this.#items.push(item) > 1) return
    this.#since = performance.now()
    this.#seen = 1
    setImmediate(this.#look)
  }

  #look = (): void => {
    const grown = this.#items.length > this.#seen
    this.#seen = this.#items.length
    if (grown && performance.now() - this.#since < MAX_BATCH_MS) setImmediate(this.#look)
    else this.#flush()
  }

  #flush(): void {
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
