import type { Clock } from '@escapement/core'
import { Repeat } from '@escapement/core/plugin'
import type { Settings } from '../options.ts'
import { FleetClock } from './fleet-clock.ts'
import { FleetTrouble, NOTHING, type Standing } from './fleet-trouble.ts'
import { makeNodes, warnOfEven } from './make-nodes.ts'
import type { Node, NodeContext } from './node.ts'

export interface NodesContext extends Omit<NodeContext, 'meaning' | 'onChange' | 'aheadOf'> {
  /** This machine's wall time minus Redis's has changed: set the scheduler's clock by this number of ms. */
  onOffset(offset: number): void
}

/** All Redis masters of a lock. */
export class Nodes {
  /** Empty until opened. */
  all: readonly Node[] = []
  /** How many must agree. */
  readonly quorum: number
  readonly #settings: Settings
  readonly #context: NodesContext & NodeContext
  readonly #clock: Clock
  readonly #together: FleetTrouble
  readonly #time: FleetClock
  #opened: Promise<readonly Node[]> | undefined
  readonly #scanning = new Repeat(() => {
    void this.scan()
    return this.#pause
  })
  #next = 0
  readonly #waiting = new Map<() => void, number | undefined>()

  constructor(settings: Settings, context: NodesContext) {
    this.#settings = settings
    this.#context = {
      ...context,
      onGreet: (...greeted) => {
        context.onGreet(...greeted)
        for (const [wake, shard] of [...this.#waiting]) if (!this.isDown(shard)) wake()
      },
      aheadOf: (time) => this.#time.aheadOf(time),
      meaning: () => this.#meaning(),
      onChange: () => this.#review(),
    }
    this.#clock = context.clock
    this.quorum = Math.floor(settings.clients.length / 2) + 1
    this.#time = new FleetClock(context.clock, () => this.all, context.onOffset)
    this.#together = new FleetTrouble(context.clock, context.log)
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
    const all = await makeNodes(this.#settings, this.#context)
    this.all = all
    warnOfEven(all.length, this.quorum, this.#context.log)
    for (const node of all) node.open()
    await this.#greeted()
    if (this.all === all) this.#scanning.start(this.#clock, this.#pause)
    return all
  }

  async close(): Promise<void> {
    const opened = this.#opened
    if (!opened) return
    this.#opened = undefined
    const nodes = await opened.catch(() => [])
    for (const node of nodes) node.close()
    // It may have been opened again meanwhile.
    if (this.all !== nodes) return
    this.#scanning.stop()
    this.#together.close()
    this.all = []
  }

  /** One that can be asked for a shard, another each time. */
  any(shard = 0): Node | undefined {
    for (let i = 0; i < this.all.length; i++) {
      const node = this.all[this.#next++ % this.all.length] as Node
      if (this.trusts(node, shard)) return node
    }
  }

  /**
   * Whether a node's replies count: it answers, it is no server that another node is too, and its clock is not far from
   * that of the others.
   */
  trusts(node: Node, shard = 0): boolean {
    if (!node.answers(shard)) return false
    if (this.all.length > 1 && this.#twin(node, shard)) return false
    if (this.all.length < 3) return true
    return Math.abs(node.time.delta - this.#time.median) <= this.#settings.maxClockSkew
  }

  /** The node before it that is the same server. */
  #twin(node: Node, shard = 0): Node | undefined {
    const server = node.server(shard)
    const before = this.all.slice(0, this.all.indexOf(node))
    return server === '' ? undefined : before.find((other) => other.server(shard) === server)
  }

  /** Why the replies of a node that answers do not count. */
  distrust(node: Node): string {
    return this.#twin(node)
      ? `Redis ${node.name} is the same server as another node, and counts once`
      : `the clock of Redis ${node.name} is wrong`
  }

  /** Whether too few nodes can be asked for a shard, or for any. */
  isDown(shard?: number): boolean {
    if (shard === undefined) return this.#shards.some((each) => this.isDown(each))
    let up = 0
    for (const node of this.all) if (this.trusts(node, shard)) up++
    return up < this.quorum
  }

  get down(): boolean {
    return this.isDown()
  }

  get #shards(): number[] {
    return Array.from({ length: this.#context.keys.shards }, (_, shard) => shard)
  }

  /** Why ticks cannot be claimed as they should; undefined when all is well. */
  get trouble(): string | undefined {
    const nodes = this.all.flatMap(({ name, trouble: { cause } }) =>
      cause ? [`Redis ${name} cannot be used: ${cause.what}`] : [],
    )
    if (this.#time.broken) return this.#time.broken
    return [...this.#together.reasons, ...nodes, ...this.#time.aside][0]
  }

  /** The longest lease of the fleet, in ms. */
  get longest(): number {
    return this.#context.members.longest
  }

  /** How long a shard gives no lease yet, as far as is known, in ms: its Redis may have forgotten some. */
  hold(shard: number): number {
    const { guard } = this.#settings
    if (!guard) return 0
    const ages = this.all.map((node) => node.age(shard)).sort((a, b) => b - a)
    return Math.max(0, this.longest - (ages[this.quorum - 1] ?? Infinity))
  }

  /** Waits until enough nodes can be asked, at most `ms`: all callers that wait go on at the same moment. */
  async up(ms: number, shard?: number): Promise<void> {
    if (!this.isDown(shard)) return
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#clock.clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#clock.setTimeout(wake, ms)
      timer.unref?.()
      this.#waiting.set(wake, shard)
    })
  }

  /** The fleet's wall time, by Redis, minus this machine's, in ms; undefined when no node has answered yet. */
  get skew(): number | undefined {
    return this.#time.skew
  }

  /** Sets the scheduler's clock by Redis's, so that all instances see a tick at the same moment. */
  follow(): void {
    this.#time.follow()
  }

  async scan(): Promise<void> {
    await Promise.all(this.all.map((node) => node.greet()))
    this.follow()
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

  /** Writes now what is not written yet: a start does not wait for a second. */
  tell(): void {
    for (const { trouble } of this.all) trouble.tell()
    this.#together.tell()
  }

  #review(): void {
    if (this.all.length === 0) return
    const shards = this.#shards
    const twin = this.all.find((node) => this.#twin(node))
    const standing: Standing = {
      nodes: this.all.length,
      quorum: this.quorum,
      up: this.all.filter((node) => shards.every((shard) => this.trusts(node, shard))).length,
      down: this.isDown(),
      twins: twin && [(this.#twin(twin) as Node).name, twin.name],
      hold: Math.max(...shards.map((shard) => this.hold(shard))),
    }
    this.#together.set(standing, () => this.#review())
  }

  #meaning(): string {
    const others = this.all.length - 1
    if (others > 0) return `The other ${others} decide meanwhile, as long as they are ${this.quorum} or more.`
    return `Meanwhile ${NOTHING}.`
  }

  /** At random, so that the instances of a fleet do not scan together. */
  get #pause(): number {
    return this.#settings.scan * (0.75 + Math.random() * 0.5)
  }
}
