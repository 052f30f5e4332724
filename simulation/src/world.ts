import { Random } from './random.ts'

/** Something that happens at an instant. */
export interface Event {
  /** True time in ms since the simulation began. */
  at: number
  order: number
  run: () => void | Promise<void>
  /** Left out when its time comes. */
  cancelled: boolean
}

/** When the simulation begins, by the true wall clock: a Monday. */
export const BEGIN: number = Date.UTC(2026, 10, 23, 9, 0, 0)

const turn = setImmediate

/** True time, and what happens in it: one thing after the other, in an order that the seed decides. */
export class World {
  now = 0
  events = 0
  /** What the clock of a machine that boots now is ahead of true time, in ms. */
  clock = 0
  readonly random: Random
  readonly #heap: Event[] = []
  #order = 0

  constructor(seed: number | string) {
    this.random = new Random(seed)
  }

  /** The true wall time in ms. */
  get wall(): number {
    return BEGIN + this.now
  }

  at(at: number, run: () => void | Promise<void>): Event {
    const event = { at: Math.max(at, this.now), order: this.#order++, run, cancelled: false }
    push(this.#heap, event)
    return event
  }

  after(ms: number, run: () => void | Promise<void>): Event {
    return this.at(this.now + ms, run)
  }

  /**
   * Lets things happen until `end` (ms). Promises settle after each, before the next; what takes real time, as a real
   * database does, is waited for.
   */
  async play(end: number): Promise<void> {
    for (;;) {
      const next = this.#heap[0]
      if (!next || next.at > end) break
      pop(this.#heap)
      if (next.cancelled) continue
      this.now = next.at
      this.events++
      const done = next.run()
      if (done) await done
      await new Promise<void>((resolve) => turn(resolve))
    }
    this.now = end
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Event[], event: Event): void {
  let i = heap.push(event) - 1
  while (i > 0) {
    const up = (i - 1) >> 1
    if (!before(event, heap[up] as Event)) break
    heap[i] = heap[up] as Event
    i = up
  }
  heap[i] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop() as Event
  if (heap.length === 0) return
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
    if (!before(heap[child] as Event, last)) break
    heap[i] = heap[child] as Event
    i = child
  }
  heap[i] = last
}
