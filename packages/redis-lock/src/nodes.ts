import type { Clock, Logger, Timer } from '@escapement/core'
import { connect, unsafeOptions } from './client.ts'
import { Node, type NodeContext } from './node.ts'
import { redacted, type Settings } from './options.ts'

/** How far the scheduler's clock may be from Redis's before it is set, in ms. */
const DEADBAND = 25

export interface NodesContext extends NodeContext {
  readonly log: Logger
  /** This machine's wall time minus Redis's has changed: set the scheduler's clock by so many ms. */
  onOffset(offset: number): void
}

/** All Redis masters of a lock. */
export class Nodes {
  /** Empty until opened. */
  all: readonly Node[] = []
  /** How many must agree. */
  readonly quorum: number
  readonly #settings: Settings
  readonly #context: NodesContext
  readonly #clock: Clock
  #opened: Promise<readonly Node[]> | undefined
  #timer: Timer | undefined
  #offset = 0
  #next = 0
  readonly #waiting = new Set<() => void>()

  constructor(settings: Settings, context: NodesContext) {
    this.#settings = settings
    this.#context = {
      ...context,
      onGreet: (...greeted) => {
        context.onGreet(...greeted)
        if (!this.down) for (const wake of [...this.#waiting]) wake()
      },
    }
    this.#clock = context.clock
    this.quorum = Math.floor(settings.clients.length / 2) + 1
  }

  /** Connects, and waits at most the timeout for a first answer. Rejects only when ioredis is missing. */
  async open(): Promise<void> {
    this.#opened ??= this.#open()
    const opened = this.#opened
    try {
      await opened
    } catch (error) {
      if (this.#opened === opened) this.#opened = undefined
      throw error
    }
  }

  async #open(): Promise<readonly Node[]> {
    const { clients, timeout } = this.#settings
    const nodes = clients.map(async (given, i) => {
      if (typeof given === 'string')
        return new Node(await connect(given, timeout), redacted(given), true, this.#context)
      const unsafe = unsafeOptions(given)
      if (unsafe.length > 0) {
        const message = `redis-lock: client ${i + 1} has options that make claims slow to fail: ${unsafe.join(', ')}`
        this.#context.log.warn({ client: i + 1, options: unsafe }, message)
      }
      return new Node(given, nameOf(given.options, i), false, this.#context)
    })
    const all = await Promise.all(nodes)
    this.all = all
    for (const node of all) node.open()
    await this.#greeted()
    if (this.all === all) this.#rescan()
    return all
  }

  async close(): Promise<void> {
    const opened = this.#opened
    if (!opened) return
    this.#opened = undefined
    const nodes = await opened.catch(() => [])
    for (const node of nodes) node.close()
    // It may have been opened anew meanwhile.
    if (this.all !== nodes) return
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.all = []
  }

  /** One that can be asked, another each time. */
  any(): Node | undefined {
    for (let i = 0; i < this.all.length; i++) {
      const node = this.all[this.#next++ % this.all.length] as Node
      if (this.trusts(node)) return node
    }
  }

  /** Whether a node's votes count: it answers, and its clock is not far from that of the others. */
  trusts(node: Node): boolean {
    if (!node.usable) return false
    if (this.all.length < 3) return true
    return Math.abs(node.time.delta - this.#median()) <= this.#settings.maxClockSkew
  }

  get down(): boolean {
    let up = 0
    for (const node of this.all) if (this.trusts(node)) up++
    return up < this.quorum
  }

  /** How long a shard gives no lease yet, as far as is known, in ms: its Redis may have forgotten some. */
  hold(shard: number): number {
    const { guard, lease } = this.#settings
    if (!guard) return 0
    const ages = this.all.map((node) => node.age(shard)).sort((a, b) => b - a)
    return Math.max(0, lease - (ages[this.quorum - 1] ?? Infinity))
  }

  /** Waits until enough nodes can be asked, at most `ms`: all who wait go on at the same moment. */
  async up(ms: number): Promise<void> {
    if (!this.down) return
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#clock.clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#clock.setTimeout(wake, ms)
      timer.unref?.()
      this.#waiting.add(wake)
    })
  }

  /** Redis's wall time minus this machine's, in ms; undefined when no node has been heard of. */
  get skew(): number | undefined {
    const delta = this.#median()
    return Number.isNaN(delta) ? undefined : delta - (this.#clock.now() - this.#clock.monotonic())
  }

  /** Sets the scheduler's clock by Redis's, so that all instances see a tick at the same moment. */
  follow(): void {
    const { skew } = this
    if (skew === undefined || Math.abs(skew - this.#offset) <= DEADBAND) return
    this.#offset = Math.abs(skew) <= DEADBAND ? 0 : skew
    this.#context.onOffset(this.#offset)
  }

  async scan(): Promise<void> {
    await Promise.all(this.all.map((node) => node.greet()))
    this.follow()
  }

  #median(): number {
    const deltas = this.all.flatMap(({ time: { delta } }) => (Number.isNaN(delta) ? [] : [delta]))
    return deltas.sort((a, b) => a - b)[Math.floor(deltas.length / 2)] ?? NaN
  }

  /** Until all nodes have answered, or the timeout is over. */
  #greeted(): Promise<void> {
    return new Promise((resolve) => {
      const { timeout } = this.#settings
      const end = performance.now() + Math.max(timeout, 500)
      const look = () => {
        if (!this.all.every((node) => node.usable) && performance.now() < end) {
          setTimeout(look, 5)
          return
        }
        this.follow()
        resolve()
      }
      look()
    })
  }

  #rescan(): void {
    const ms = this.#settings.scan * (0.75 + Math.random() * 0.5)
    this.#timer = this.#clock.setTimeout(() => {
      void this.scan()
      this.#rescan()
    }, ms)
    this.#timer.unref?.()
  }
}

function nameOf(options: object | undefined, i: number): string {
  const { host, port, path } = (options ?? {}) as { host?: string; port?: number; path?: string }
  return path ?? (host ? `${host}:${port ?? 6379}` : `client ${i + 1}`)
}
