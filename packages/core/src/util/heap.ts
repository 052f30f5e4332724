/** Something that waits in a heap. `index` is its place, -1 outside. */
export interface HeapEntry {
  /** Smallest first. */
  due: number
  /** Breaks ties: smaller first. */
  order: number
  index: number
}

/** A binary heap whose entries know their place, so that any of them can be moved or removed in O(log n). */
export class Heap<T extends HeapEntry> {
  #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  /** Puts an entry in, or in its new place when it is in already and its `due` has changed. */
  set(entry: T): void {
    if (entry.index < 0) {
      entry.index = this.#items.length
      this.#items.push(entry)
      this.#up(entry)
    } else {
      this.#up(entry)
      this.#down(entry)
    }
  }

  delete(entry: T): boolean {
    const { index } = entry
    if (index < 0) return false
    const last = this.#items.pop() as T
    entry.index = -1
    if (last !== entry) {
      last.index = index
      this.#items[index] = last
      this.#up(last)
      this.#down(last)
    }
    return true
  }

  pop(): T | undefined {
    const first = this.#items[0]
    if (first) this.delete(first)
    return first
  }

  #up(entry: T): void {
    const items = this.#items
    let { index } = entry
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = items[above] as T
      if (!before(entry, parent)) break
      items[index] = parent
      parent.index = index
      index = above
    }
    items[index] = entry
    entry.index = index
  }

  #down(entry: T): void {
    const items = this.#items
    const { length } = items
    let { index } = entry
    for (let below = 2 * index + 1; below < length; below = 2 * index + 1) {
      let child = items[below] as T
      const right = items[below + 1]
      if (right && before(right, child)) {
        child = right
        below++
      }
      if (!before(child, entry)) break
      items[index] = child
      child.index = index
      index = below
    }
    items[index] = entry
    entry.index = index
  }
}

function before(a: HeapEntry, b: HeapEntry): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order)
}
