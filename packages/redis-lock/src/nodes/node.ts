import { Channel } from '../connection/channel.ts'
import type { RedisLike } from '../connection/client.ts'
import { Connection, type ConnectionContext, type NamedClient } from '../connection/connection.ts'
import type { ServerClock } from '../connection/server-clock.ts'
import { Shard } from '../connection/shard.ts'
import type { Trouble } from '../connection/trouble.ts'
import type { Greeting, Script } from '../scripts/index.ts'
import { type TendContext, tend } from './tend.ts'

/** What a node needs to know, the same for all nodes of a lock. */
export interface NodeContext extends ConnectionContext, TendContext {
  readonly acks: number
  onGreet(node: Node, shard: number, greeting: Greeting): void
  /** Redis's clock moved by this number of ms against ours. */
  onStep(node: Node, by: number): void
  /** The fleet's time minus that of a clock which was just set, in ms; 0 to follow it. */
  aheadOf(time: ServerClock): number
  /** Whether it can be used may have changed. */
  onChange(): void
}

/** Commands a shard may leave unanswered before no more are sent to it. */
const MAX_UNANSWERED = 10
/** When this number of probes in a row have failed, a new connection is made. */
const FAILURES_TO_RECONNECT = 4
/** How much a command may come later than its timeout, by Redis's clock, and still be executed. */
const EXPIRY_SLACK_MS = 50

/** One Redis: its connection, its clock, and whether it can be asked. */
export class Node {
  readonly #context: NodeContext
  readonly #connection: Connection
  readonly #channel: Channel
  readonly #shards: readonly Shard[]
  /** Each command was tried on this connection. */
  #tried = false

  constructor(named: NamedClient, context: NodeContext) {
    this.#context = context
    const shards = Array.from({ length: context.keys.shards }, (_, i) => new Shard(i, context.clock))
    this.#shards = shards
    this.#connection = new Connection(named, context, {
      of: shards.length,
      get down() {
        return shards.filter(({ usable }) => !usable).length
      },
      onReady: () => {
        for (const shard of shards) shard.renew()
        void this.greet()
      },
      onLost: () => this.#disown(),
      onChange: () => context.onChange(),
    })
    this.#channel = new Channel(this.#connection, context.clock, context.timeout, {
      onSilence: (shard) => this.#suspect(shard),
      onAnswer: (shard) => void this.#greet(shard),
      onOther: (shard) => this.#forgotten(shard),
      onTime: (...answer) => this.#learn(...answer),
    })
  }

  get client(): RedisLike {
    return this.#connection.client
  }

  get name(): string {
    return this.#connection.name
  }

  get trouble(): Trouble {
    return this.#connection.trouble
  }

  /** Whether all that is stored in it can be asked for. */
  get usable(): boolean {
    return this.#shards.every(({ usable }) => usable)
  }

  answers(shard: number): boolean {
    return this.#shards[shard]?.usable === true
  }

  /** Its clock, or that of the first of its masters. */
  get time(): ServerClock {
    return (this.#shards[0] as Shard).time
  }

  /** Names the server that has a shard; empty before it was greeted. */
  server(shard: number): string {
    return this.#shards[shard]?.id ?? ''
  }

  open(): void {
    if (!this.#connection.closed) return
    this.#connection.open()
    void this.greet()
  }

  close(): void {
    this.#connection.close()
  }

  /**
   * Runs a script whose first argument says until when it may be executed, and by which server: a command that reaches
   * Redis later, because it hung or the network did, or another one, does nothing. Rejects when there is no answer in time.
   */
  async ask(script: Script, keys: string[], args: (string | number)[], acks = 0): Promise<unknown[]> {
    const { id, time } = this.#shardOf(keys)
    const expires = Math.ceil(time.now() + this.#context.timeout + EXPIRY_SLACK_MS)
    return this.tell(script, keys, [`${expires}|${id}`, ...args], acks)
  }

  /** Runs a script. With `acks`, resolves when that number of replicas have what it wrote. */
  async tell(script: Script, keys: string[], args: (string | number)[], acks = 0): Promise<unknown[]> {
    const shard = this.#shardOf(keys)
    if (!shard.usable) throw this.#connection.down()
    const reply = await this.#channel.timed(shard, script, keys, args)
    if (reply[1] === 'unborn') throw this.#forgotten(shard)
    if (reply.slice(1).some((text) => typeof text !== 'string'))
      throw this.#connection.down('its answer makes no sense')
    shard.heard = this.#context.clock.monotonic()
    if (reply[1] === 'expired') throw this.#connection.down('the command came too late')
    if (acks > 0 && this.client.wait) {
      const had = await this.#channel.known(
        'wait',
        shard,
        this.client.wait(acks, Math.ceil(this.#context.timeout * 0.8)),
      )
      if (Number(had) < acks) throw this.#connection.down(`only ${had} of ${acks} replicas have it`)
    }
    return reply
  }

  async mget(keys: string[]): Promise<(string | null)[]> {
    const shard = this.#shardOf(keys)
    if (!shard.usable) throw this.#connection.down()
    return this.#channel.read(shard, keys)
  }

  /** Runs a script of redlock's, whose answer is a number. */
  async run(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    const shard = this.#shardOf(keys)
    if (!shard.usable) throw this.#connection.down()
    return this.#channel.known(
      script.sha,
      shard,
      this.#channel.send(shard, script, keys, [...args, shard.id]),
    )
  }

  /** Looks after all shards: after each connect, at every scan, and to see whether it answers again. */
  async greet(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => this.#greet(shard)))
  }

  async #greet(shard: Shard): Promise<void> {
    if (this.#connection.closed || !this.#connection.ready) return
    // A connection that owes answers to this number of commands is sent no more.
    if (!shard.usable && shard.unanswered >= MAX_UNANSWERED) return this.#suspect(shard)
    const { epoch } = this.#connection
    const { stepped } = shard
    try {
      const greeted = await tend(
        { shard, channel: this.#channel, connection: this.#connection },
        this.#context,
      )
      await this.#try(shard)
      if (epoch !== this.#connection.epoch) return
      if (stepped === shard.stepped) {
        shard.stepped = 0
        shard.ahead = greeted.ahead
      }
      shard.id = greeted.id
      shard.heard = this.#context.clock.monotonic()
      shard.born = greeted.born
      shard.failed = 0
      shard.usable = true
      this.#connection.accepted('info')
      if (this.usable) this.#connection.works()
      this.#connection.review()
      this.#context.onGreet(this, shard.index, greeted)
    } catch {
      if (epoch === this.#connection.epoch) this.#suspect(shard)
    }
  }

  /** What is needed later is tried once on each connection: a right that is missing is found at once. */
  async #try(shard: Shard): Promise<void> {
    if (this.#tried) return
    this.#tried = true
    await this.#channel.read(shard, [this.#context.keys.born(shard.index)]).catch(() => {})
    if (this.#context.acks > 0 && this.client.wait) {
      await this.#channel.known('wait', shard, this.client.wait(0, 1)).catch(() => {})
    }
  }

  /** The fleet's time minus its time, in ms: see {@link Shard.ahead}. */
  ahead(shard: number): number {
    return this.#shards[shard]?.ahead ?? 0
  }

  /** How long ago a shard of it may have forgotten something, in ms; Infinity when that is not known. */
  age(index: number): number {
    const { born, time } = this.#shards[index] as Shard
    return born === undefined ? Infinity : time.now() - born
  }

  #learn(shard: Shard, sent: number, received: number, now: number): void {
    const by = shard.time.learn(sent, received, now)
    if (by === 0) return
    // The masters of a Cluster have several shards each.
    if (this.#shards.find(({ id }) => id === shard.id) === shard) this.#context.onStep(this, by)
    shard.stepped = by > 0 ? 1 : -1
    // A machine that slept, and whose wall clock was set meanwhile, must not set the time of its fleet.
    if (shard.time.sure) shard.ahead = this.#context.aheadOf(shard.time)
    void this.#greet(shard)
  }

  /** Another server answers, or it was restarted: it is greeted first. */
  #forgotten(shard: Shard): Error {
    shard.usable = false
    void this.#greet(shard)
    return this.#connection.down('it was restarted, or another server has taken its place')
  }

  /** Not to be asked until a probe has been answered. */
  #suspect(shard: Shard): void {
    shard.usable = false
    this.#connection.review()
    if (shard.waits || this.#connection.closed) return
    shard.failed++
    if (shard.failed % FAILURES_TO_RECONNECT === 0) this.#connection.renew()
    shard.probeAfter(Math.min(100 * 2 ** shard.failed, 1000), () => void this.#greet(shard))
  }

  #shardOf(keys: readonly string[]): Shard {
    return this.#shards[this.#context.keys.shardOf(keys[0] as string)] as Shard
  }

  #disown(): void {
    this.#tried = false
    for (const shard of this.#shards) shard.lose()
  }
}
