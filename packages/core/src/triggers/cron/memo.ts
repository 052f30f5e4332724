/**
 * Remembers between `size` and twice as many values, the most recently used among them. In two generations:
 * deleting the oldest entry of a Map one by one would get slower with each.
 */
export class Memo<T> {
  readonly #size: number
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  constructor(size: number) {
    this.#size = size
  }

  get(key: string, create: () => T): T {
    let value = this.#young.get(key)
    if (value !== undefined) return value
    value = this.#old.get(key) ?? create()
    if (this.#young.size >= this.#size) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
    return value
  }
}
