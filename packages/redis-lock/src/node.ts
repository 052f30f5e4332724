import { randomBytes } from 'node:crypto'
import { EscapementError } from '@escapement/core'
import type { RedisLike } from './client.ts'
import { Connection, type ConnectionContext } from './connection.ts'
import type { Keys } from './keys.ts'
import { type Greeting, GUARDED, greeting, type Script, TEND } from './scripts/index.ts'
import type { ServerClock } from './server-clock.ts'
import { Shard } from './shard.ts'
import type { Trouble } from './trouble.ts'

/** What a node needs to know, the same for all nodes of a lock. */
export interface NodeContext extends ConnectionContext {
  readonly keys: Keys
  /** Names this instance among the fleet, when it is started. */
  readonly self: () => string
  /** In ms. */
  readonly alive: number
  readonly lease: number
  readonly acks: number
  onGreet(node: Node, shard: number, greeting: Greeting): void
  /** Redis's clock moved by so many ms against ours. */
  onStep(node: Node, by: number): void
  /** The fleet's time minus that of a clock which was just set, in ms; 0 to follow it. */
  aheadOf(time: ServerClock): number
  /** Whether it can be used may have changed. */
  onChange(): void
}

/** How many open runs are listed at a time. */
const LISTED = 1000
/** Commands a shard may leave unanswered before no more are sent to it. */
const PROBES = 10
/** After so many probes in a row have failed, a new connection is made. */
const FAILURES = 4
/** How much a command may come later than its timeout, by Redis's clock, and still be executed. */
const SLACK = 50

/** One Redis: its connection, its clock, and whether it can be asked. */
export class Node {
  readonly #context: NodeContext
  readonly #connection: Connection
  readonly #shards: readonly Shard[]
  /** Each command was tried on this connection. */
  #tried = false

  /** @param url What the client was made for; a client of the user's is not closed. */
  constructor(client: RedisLike, name: string, url: string | undefined, context: NodeContext) {
    this.#context = context
    const shards = Array.from({ length: context.keys.shards }, (_, i) => new Shard(i, context.clock))
    this.#shards = shards
    this.#connection = new Connection(client, name, url, context, {
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
    const expires = Math.ceil(time.now() + this.#context.timeout + SLACK)
    return this.tell(script, keys, [`${expires}|${id}`, ...args], acks)
  }

  /** Runs a script. With `acks`, resolves when so many replicas have what it wrote. */
  async tell(script: Script, keys: string[], args: (string | number)[], acks = 0): Promise<unknown[]> {
    const shard = this.#shardOf(keys)
    if (!shard.usable) throw this.#connection.down()
    const reply = await this.#timed(shard, script, keys, args)
    if (reply[1] === 'unborn') throw this.#forgotten(shard)
    if (reply.slice(1).some((text) => typeof text !== 'string'))
      throw this.#connection.down('its answer makes no sense')
    shard.heard = this.#context.clock.monotonic()
    if (reply[1] === 'expired') throw this.#connection.down('the command came too late')
    if (acks > 0 && this.client.wait) {
      const had = await this.#known(
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
    return this.#read(shard, keys)
  }

  /** Runs a script of redlock's, whose answer is a number. */
  async run(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    const shard = this.#shardOf(keys)
    if (!shard.usable) throw this.#connection.down()
    return this.#known(script.sha, shard, this.#send(shard, script, keys, [...args, shard.id]))
  }

  /** Looks after all shards: after each connect, at every scan, and to see whether it answers again. */
  async greet(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => this.#greet(shard)))
  }

  async #greet(shard: Shard): Promise<void> {
    if (this.#connection.closed || !this.#connection.ready) return
    // A connection that owes us answers to so many is not sent more.
    if (!shard.usable && shard.unanswered >= PROBES) return this.#suspect(shard)
    const { epoch } = this.#connection
    const { stepped } = shard
    try {
      const greeted = await this.#tend(shard)
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

  async #tend(shard: Shard): Promise<Greeting> {
    const { keys, self, alive, lease } = this.#context
    const { index } = shard
    const ago = Math.ceil(this.#context.clock.monotonic() - shard.heard)
    const call = () =>
      this.#timed(
        shard,
        TEND,
        [keys.born(index), keys.open(index), keys.instances(index)],
        [
          self(),
          alive,
          shard.born === undefined ? 0 : 1,
          shard.stepped,
          LISTED,
          lease,
          shard.ahead,
          shard.id,
          ago,
        ],
      )
    let reply: unknown[] = []
    if (!shard.mark) reply = await call()
    if (shard.mark || reply[1] === 'anonymous') reply = await this.#recognise(shard, call)
    if (reply.length < 3) {
      throw this.#connection.fault(
        new Error('NOPERM INFO is needed to tell this server from its replicas, before Redis 7'),
        'info',
      )
    }
    return greeting(reply)
  }

  /**
   * Where INFO is forbidden, a server is known by scripts that only it was given: by those that the fleet has noted,
   * or those we gave it before; or else it is another one, and is given some.
   */
  async #recognise(shard: Shard, call: () => Promise<unknown[]>): Promise<unknown[]> {
    const born = this.#context.keys.born(shard.index)
    const [noted] = await this.#read(shard, [born])
    const known = [/^(m\w+)\|/.exec(noted ?? '')?.[1], shard.mark].filter((mark) => mark)
    for (const mark of known as string[]) {
      shard.mark = mark
      try {
        return await call()
      } catch (error) {
        if (!isUnknownScript(error)) throw error
      }
    }
    shard.mark = `m${randomBytes(12).toString('hex')}`
    for (const script of GUARDED) {
      await this.#known('eval', shard, this.client.eval(shard.variant(script).source, 1, born, 'load'))
    }
    return call()
  }

  /** What is needed later is tried once on each connection: a right that is missing is found at once. */
  async #try(shard: Shard): Promise<void> {
    if (this.#tried) return
    this.#tried = true
    await this.#read(shard, [this.#context.keys.born(shard.index)]).catch(() => {})
    if (this.#context.acks > 0 && this.client.wait) {
      await this.#known('wait', shard, this.client.wait(0, 1)).catch(() => {})
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

  /** Waits for an answer, at most the timeout. A shard that lets us wait is not asked until it answers again. */
  #within<T>(shard: Shard, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let late = false
      let turn: NodeJS.Immediate | undefined
      // When this process was held up, the answer may have arrived and not been read yet: it is by the next turn.
      const timer = setTimeout(() => {
        turn = setImmediate(() => {
          late = true
          const silence = this.#connection.fault(new Error(`no answer within ${this.#context.timeout} ms`))
          this.#suspect(shard)
          reject(silence)
        })
      }, this.#context.timeout)
      const arrived = () => {
        clearTimeout(timer)
        clearImmediate(turn)
      }
      answer.then(
        (value) => {
          arrived()
          resolve(value)
          // It has answered all it owed us.
          if (late && !shard.usable && shard.unanswered === 0) void this.#greet(shard)
        },
        (error: unknown) => {
          arrived()
          reject(error)
        },
      )
    })
  }

  async #read(shard: Shard, keys: string[]): Promise<(string | null)[]> {
    const values = await this.#known('mget', shard, this.client.mget(...keys))
    if (values?.length !== keys.length) throw this.#connection.down('its answer makes no sense')
    return values
  }

  async #timed(shard: Shard, script: Script, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const { clock } = this.#context
    const sent = clock.monotonic()
    const reply = await this.#known(script.sha, shard, this.#send(shard, script, keys, args))
    if (!Array.isArray(reply) || Number.isNaN(Number(reply[0])))
      throw this.#connection.down('its answer makes no sense')
    this.#learn(shard, sent, clock.monotonic(), Number(reply[0]))
    return reply
  }

  /** Waits for an answer to a command, and knows from then on whether Redis refuses such commands. */
  async #known<T>(command: string, shard: Shard, answer: Promise<T>): Promise<T> {
    const { epoch } = this.#connection
    shard.unanswered++
    const counted = answer.finally(() => {
      shard.unanswered--
    })
    try {
      const value = await this.#within(shard, counted)
      this.#connection.accepted(command)
      return value
    } catch (error) {
      if (error instanceof EscapementError) throw error
      if (isUnknownScript(error)) {
        if (shard.mark && command !== TEND.sha) throw this.#forgotten(shard)
        throw error
      }
      const fault = this.#connection.fault(error, command)
      if (epoch === this.#connection.epoch) this.#suspect(shard)
      throw fault
    }
  }

  async #send(shard: Shard, given: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    const script = shard.variant(given)
    const lasts = script === given
    if (!lasts || shard.has(script)) {
      try {
        return await this.client.evalsha(script.sha, keys.length, ...keys, ...args)
      } catch (error) {
        // A marked script is not given again: a server that does not know it is another one.
        if (!lasts || !isUnknownScript(error)) throw error
      }
    }
    const reply = await this.client.eval(script.source, keys.length, ...keys, ...args)
    shard.sent(script)
    return reply
  }

  #learn(shard: Shard, sent: number, received: number, now: number): void {
    const by = shard.time.learn(sent, received, now)
    if (by === 0) return
    // The masters of a Cluster have several shards each.
    if (this.#shards.find(({ id }) => id === shard.id) === shard) this.#context.onStep(this, by)
    shard.stepped = by > 0 ? 1 : -1
    shard.ahead = this.#context.aheadOf(shard.time)
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
    if (shard.timer || this.#connection.closed) return
    shard.failed++
    if (shard.failed % FAILURES === 0) this.#connection.renew()
    shard.timer = this.#context.clock.setTimeout(
      () => {
        shard.timer = undefined
        void this.#greet(shard)
      },
      Math.min(100 * 2 ** shard.failed, 1000),
    )
    shard.timer.unref?.()
  }

  #shardOf(keys: readonly string[]): Shard {
    return this.#shards[this.#context.keys.shardOf(keys[0] as string)] as Shard
  }

  #disown(): void {
    this.#tried = false
    for (const shard of this.#shards) {
      shard.usable = false
      shard.renew()
      if (shard.timer) this.#context.clock.clearTimeout(shard.timer)
      shard.timer = undefined
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return String((error as Error | undefined)?.message).startsWith('NOSCRIPT')
}
