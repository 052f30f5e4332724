import type { Random } from './random.ts'
import type { World } from './world.ts'

/** How long messages take, and which get through. */
export class Network {
  readonly #world: World
  readonly #random: Random
  /** One-way cuts: `from>to`. */
  readonly #cuts = new Set<string>()
  /** What is on a cut way waits for its end: TCP sends it again. */
  readonly #held = new Map<string, (() => void)[]>()
  /** Added to each message, in ms. */
  slow = 0

  constructor(world: World) {
    this.#world = world
    this.#random = world.random.fork('network')
  }

  /** One way, in ms: mostly short, with a long tail. */
  delay(_from: string, _to: string): number {
    const tail = this.#random.next()
    return 0.05 + 0.4 * this.#random.next() + (tail > 0.99 ? 20 * this.#random.next() : 0) + this.slow
  }

  /** When a message that is sent now arrives: not before the one before it. */
  arrival(from: string, to: string, last: number): number {
    return Math.max(this.#world.now + this.delay(from, to), last + 0.0001)
  }

  blocked(from: string, to: string): boolean {
    return this.#cuts.has(`${from}>${to}`)
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`)
  }

  /** What was on its way arrives now, in its order. */
  heal(from: string, to: string): void {
    const way = `${from}>${to}`
    if (!this.#cuts.delete(way)) return
    const held = this.#held.get(way) ?? []
    this.#held.delete(way)
    for (const deliver of held) this.#world.after(0, deliver)
  }

  /** Cuts two apart for a time, one way or both. */
  separate(
    { who, way, ms }: { who: string; way: 'both' | 'there' | 'back'; ms: number },
    server: string,
  ): void {
    const ways: [string, string][] = []
    if (way !== 'back') ways.push([who, server])
    if (way !== 'there') ways.push([server, who])
    for (const [from, to] of ways) {
      this.cut(from, to)
      this.#world.after(ms, () => this.heal(from, to))
    }
  }

  deliver(from: string, to: string, at: number, receive: () => void): void {
    this.#world.at(at, () => {
      if (!this.blocked(from, to)) {
        receive()
        return
      }
      const way = `${from}>${to}`
      const held = this.#held.get(way)
      if (held) held.push(receive)
      else this.#held.set(way, [receive])
    })
  }
}
