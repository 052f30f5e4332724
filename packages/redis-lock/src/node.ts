import { randomBytes } from 'node:crypto'
import { type Clock, EscapementError, type Logger } from '@escapement/core'
import { type Cause, causeOf } from './cause.ts'
import { type RedisLike, reconnect } from './client.ts'
import type { Keys } from './keys.ts'
import { GUARDED, type Greeting, greeting, type Script, TEND } from './scripts/index.ts'
import type { ServerClock } from './server-clock.ts'
import { Shard } from './shard.ts'
import { Trouble } from './trouble.ts'
import { scrub, secretsOf } from './url.ts'

/** What a node needs to know, the same for all nodes of a lock. */
export interface NodeContext {
  readonly clock: Clock
  readonly log: Logger
  readonly keys: Keys
  /** Names this instance among the fleet, when it is started. */
  readonly self: () => string
  /** In ms. */
  readonly timeout: number
  readonly alive: number
  readonly acks: number
  /** What it means that this node cannot be used: completes its line. */
  readonly meaning: () => string
  onGreet(node: Node, shard: number, greeting: Greeting): void
  /** Redis's clock moved by so many ms against ours. */
  onStep(node: Node, by: number): void
  /** Whether it can be used may have changed. */
  onChange(): void
}

/** How many open runs are listed at a time. */
const LISTED = 1000
/** Commands a shard may leave unanswered before no more are sent to it. */
const PROBES = 10
/** After so many probes in a row have failed, a new connection is made. */
const FAILURES = 4
/** The shortest and the longest time from one new connection to the next, in ms. */
const RECONNECT = { min: 1000, max: 15_000 }
/** How much a command may come later than its timeout, by Redis's clock, and still be executed. */
const SLACK = 50

const CLOSED: Cause = {
  kind: 'closed',
  what: 'its client was closed by the app, or has given up to reconnect (retryStrategy)',
  advice: 'Close it after `await scheduler.stop()`: until then runs that end are written with it.',
  lasting: true,
}
const UNREADY: Cause = {
  kind: 'away',
  what: 'its client is not ready: Redis is loading its data, or does not answer',
  advice: 'Check that it runs.',
  lasting: false,
  vague: true,
}

/** One Redis: its connection, its clock, and whether it can be asked. */
export class Node {
  readonly client: RedisLike
  readonly name: string
  readonly trouble: Trouble
  readonly #context: NodeContext
  readonly #owned: boolean
  readonly #shards: readonly Shard[]
  readonly #secrets: readonly string[]
  /** Rises with each connection. */
  #epoch = 0
  #connectedAt = NaN
  #reconnectAt = -Infinity
  #pause = 0
  #closed = true
  /** What was said last about why it cannot be used. */
  #cause: Cause | undefined
  /** Commands that Redis refuses although it answers others. */
  readonly #refused = new Map<string, Cause>()
  /** Each command was tried on this connection. */
  #tried = false
  /** The connection leads to another database than was asked for. */
  #astray = false

  /** @param given The URL that the client was made for; a client of the user's is not closed. */
  constructor(client: RedisLike, name: string, given: string | undefined, context: NodeContext) {
    this.client = client
    this.name = name
    this.#owned = given !== undefined
    this.#context = context
    this.#shards = Array.from({ length: context.keys.shards }, (_, i) => new Shard(i, context.clock))
    this.#secrets = [...secretsOf(given), ...secretsOf(client.options)]
    const { log } = context
    this.trouble = new Trouble(
      context.clock,
      ({ what, advice }) => {
        const part = this.#shards.filter(({ usable }) => !usable).length
        const where = part > 0 && part < this.#shards.length ? ` for ${part} of ${this.#shards.length} parts of its keys` : ''
        log.error({ node: name }, `redis-lock: Redis ${name} cannot be used${where}: ${what}. ${advice} ${context.meaning()}`)
      },
      (ms) => log.info({ node: name }, `redis-lock: Redis ${name} can be used again, after ${Math.ceil(ms / 1000)} s`),
    )
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
    if (!this.#closed) return
    this.#closed = false
    this.client.on('error', this.#onError)
    this.client.on('connect', this.#onConnect)
    this.client.on('ready', this.#onReady)
    this.client.on('close', this.#onClose)
    this.client.on('end', this.#onClose)
    if (this.client.status === 'wait' || (this.#owned && this.client.status === 'end')) {
      this.client.connect().catch(this.#onError)
    }
    void this.greet()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#disown()
    this.trouble.close()
    this.client.off('connect', this.#onConnect)
    this.client.off('ready', this.#onReady)
    this.client.off('close', this.#onClose)
    this.client.off('end', this.#onClose)
    // Our own client keeps its 'error' listener: it may still have something to complain about.
    if (this.#owned) this.client.disconnect()
    else this.client.off('error', this.#onError)
  }

  /**
   * Runs a script whose first argument says until when it may be executed: a command that reaches Redis later,
   * because it hung or the network did, does nothing. Rejects when there is no answer in time.
   */
  async ask(script: Script, keys: string[], args: (string | number)[], acks = 0): Promise<unknown[]> {
    const expires = Math.ceil(this.#shardOf(keys).time.now() + this.#context.timeout + SLACK)
    return this.tell(script, keys, [expires, ...args], acks)
  }

  /** Runs a script. With `acks`, resolves when so many replicas have what it wrote. */
  async tell(script: Script, keys: string[], args: (string | number)[], acks = 0): Promise<unknown[]> {
    const shard = this.#shardOf(keys)
    if (!shard.usable) throw this.#down()
    const reply = await this.#timed(shard, script, keys, args)
    if (reply[1] === 'unborn') throw this.#forgotten(shard)
    if (reply.slice(1).some((text) => typeof text !== 'string')) throw this.#down('its answer makes no sense')
    if (reply[1] === 'expired') throw this.#down('the command came too late')
    if (acks > 0 && this.client.wait) {
      const had = await this.#known('wait', shard, this.client.wait(acks, Math.ceil(this.#context.timeout * 0.8)))
      if (Number(had) < acks) throw this.#down(`only ${had} of ${acks} replicas have it`)
    }
    return reply
  }

  async mget(keys: string[]): Promise<(string | null)[]> {
    const shard = this.#shardOf(keys)
    if (!shard.usable) throw this.#down()
    return this.#read(shard, keys)
  }

  /** Runs a script of redlock's, whose answer is a number. */
  async run(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    const shard = this.#shardOf(keys)
    if (!shard.usable) throw this.#down()
    return this.#known(script.sha, shard, this.#send(shard, script, keys, args))
  }

  /** Looks after all shards: after each connect, at every scan, and to see whether it answers again. */
  async greet(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => this.#greet(shard)))
  }

  async #greet(shard: Shard): Promise<void> {
    if (this.#closed) return
    if (this.client.status !== 'ready') return this.#unready()
    if (this.#astray) return
    // A connection that owes us answers to so many is not sent more.
    if (!shard.usable && shard.unanswered >= PROBES) return this.#suspect(shard)
    const epoch = this.#epoch
    const { stepped } = shard
    try {
      const greeted = await this.#tend(shard)
      await this.#try(shard)
      if (epoch !== this.#epoch || this.#closed) return
      if (stepped) shard.stepped = false
      shard.id = greeted.id
      shard.born = greeted.born
      shard.failed = 0
      shard.usable = true
      this.#refused.delete('info')
      if (this.usable) this.#pause = 0
      this.#review()
      this.#context.onGreet(this, shard.index, greeted)
    } catch {
      if (epoch === this.#epoch) this.#suspect(shard)
    }
  }

  async #tend(shard: Shard): Promise<Greeting> {
    const { keys, self, alive } = this.#context
    const { index } = shard
    const call = () =>
      this.#timed(
        shard,
        TEND,
        [keys.born(index), keys.open(index), keys.instances(index)],
        [self(), alive, shard.born === undefined ? 0 : 1, shard.stepped ? 1 : 0, LISTED],
      )
    let reply: unknown[] = []
    if (!shard.mark) reply = await call()
    if (shard.mark || reply[1] === 'anonymous') reply = await this.#recognise(shard, call)
    if (reply.length < 3) {
      throw this.#fault(new Error('NOPERM INFO is needed to tell this server from its replicas, before Redis 7'), 'info')
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
          const silence = this.#fault(new Error(`no answer within ${this.#context.timeout} ms`))
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
    if (values?.length !== keys.length) throw this.#down('its answer makes no sense')
    return values
  }

  async #timed(shard: Shard, script: Script, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const { clock } = this.#context
    const sent = clock.monotonic()
    const reply = await this.#known(script.sha, shard, this.#send(shard, script, keys, args))
    if (!Array.isArray(reply) || Number.isNaN(Number(reply[0]))) throw this.#down('its answer makes no sense')
    this.#learn(shard, sent, clock.monotonic(), Number(reply[0]))
    return reply
  }

  /** Waits for an answer to a command, and knows from then on whether Redis refuses such commands. */
  async #known<T>(command: string, shard: Shard, answer: Promise<T>): Promise<T> {
    const epoch = this.#epoch
    shard.unanswered++
    const counted = answer.finally(() => {
      shard.unanswered--
    })
    try {
      const value = await this.#within(shard, counted)
      if (this.#refused.delete(command)) this.#review()
      return value
    } catch (error) {
      if (error instanceof EscapementError) throw error
      if (isUnknownScript(error)) {
        if (shard.mark && command !== TEND.sha) throw this.#forgotten(shard)
        throw error
      }
      const fault = this.#fault(error, command)
      if (epoch === this.#epoch) {
        this.#suspect(shard)
        if (this.#cause?.kind === 'replica') this.#reconnect()
      }
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
    // What it gave a time to live has lost as much of it.
    if (by > 0) shard.stepped = true
    void this.#greet(shard)
  }

  /** Another server answers, or it was restarted: it is greeted first. */
  #forgotten(shard: Shard): Error {
    shard.usable = false
    void this.#greet(shard)
    return this.#down('it was restarted, or another server has taken its place')
  }

  /** Not to be asked until a probe has been answered. */
  #suspect(shard: Shard): void {
    shard.usable = false
    this.#review()
    if (shard.timer || this.#closed) return
    shard.failed++
    if (shard.failed % FAILURES === 0) this.#reconnect()
    shard.timer = this.#context.clock.setTimeout(
      () => {
        shard.timer = undefined
        void this.#greet(shard)
      },
      Math.min(100 * 2 ** shard.failed, 1000),
    )
    shard.timer.unref?.()
  }

  /** Only a new connection helps against a dead one, whoever made it; less and less often while it does not help. */
  #reconnect(): void {
    const now = this.#context.clock.monotonic()
    if (this.#closed || now < this.#reconnectAt) return
    this.#pause = Math.min(Math.max(RECONNECT.min, 2 * this.#pause), RECONNECT.max)
    this.#reconnectAt = now + this.#pause
    void reconnect(this.client, this.#context.timeout)
  }

  /** Connected, and yet not ready: a server that hangs takes connections too. */
  #unready(): void {
    const { status } = this.client
    this.#cause ??= status === 'end' ? CLOSED : UNREADY
    const patience = Math.max(2 * RECONNECT.min, 4 * this.#context.timeout)
    if (status === 'connect' && this.#context.clock.monotonic() - this.#connectedAt > patience) this.#reconnect()
    this.#review()
  }

  /** Keeps what an error says about the node, and makes one of it that holds no secret. */
  #fault(error: unknown, command?: string): Error {
    const cause = causeOf(error, (text) => scrub(text, this.#secrets))
    if (!cause.vague || !this.#cause) this.#cause = cause
    if (command !== undefined && cause.lasting) this.#refused.set(command, cause)
    return this.#down(cause.what)
  }

  #down(why: string = this.#cause?.what ?? 'it has not answered yet'): Error {
    return new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', `Redis ${this.name} cannot be used: ${why}`)
  }

  #review(): void {
    if (this.#closed) return
    if (this.usable) this.#cause = undefined
    const [refused] = this.#refused.values()
    this.trouble.set(this.usable ? refused : (this.#cause ?? refused ?? UNREADY))
    if (this.#cause === CLOSED) this.trouble.tell()
    this.#context.onChange()
  }

  #shardOf(keys: readonly string[]): Shard {
    return this.#shards[this.#context.keys.shardOf(keys[0] as string)] as Shard
  }

  /** Nothing that is known of the connection holds any more. */
  #disown(): void {
    this.#epoch++
    this.#tried = false
    this.#astray = false
    this.#refused.clear()
    for (const shard of this.#shards) {
      shard.usable = false
      shard.renew()
      if (shard.timer) this.#context.clock.clearTimeout(shard.timer)
      shard.timer = undefined
    }
  }

  #onConnect = (): void => {
    this.#connectedAt = this.#context.clock.monotonic()
  }

  #onReady = (): void => {
    for (const shard of this.#shards) shard.renew()
    void this.greet()
  }

  #onClose = (): void => {
    this.#disown()
    if (this.client.status === 'end' && !this.#owned) this.#cause = CLOSED
    this.#cause ??= causeOf(new Error('Connection is closed.'), String)
    this.#review()
  }

  #onError = (error: unknown): void => {
    this.#fault(error)
    // A client whose SELECT fails goes on with database 0.
    if (this.#cause?.kind === 'db') this.#astray = true
    this.#review()
  }
}

function isUnknownScript(error: unknown): boolean {
  return String((error as Error | undefined)?.message).startsWith('NOSCRIPT')
}
