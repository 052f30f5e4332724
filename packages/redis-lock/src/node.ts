import { type Clock, EscapementError, type Timer } from '@escapement/core'
import type { RedisLike } from './client.ts'
import type { Keys } from './keys.ts'
import { type Greeting, greeting, type Script, TEND } from './scripts/index.ts'
import { ServerClock } from './server-clock.ts'

/** What a node needs to know, the same for all nodes of a lock. */
export interface NodeContext {
  readonly clock: Clock
  readonly keys: Keys
  /** Names this instance among the fleet, when it is started. */
  readonly self: () => string
  /** In ms. */
  readonly timeout: number
  readonly alive: number
  readonly acks: number
  onGreet(node: Node, shard: number, greeting: Greeting): void
  /** Redis's clock moved by so many ms against ours. */
  onStep(node: Node, by: number): void
}

/** How many open runs are listed at a time. */
const LISTED = 1000

/** Commands a node may leave unanswered before we wait for its connection to break. */
const PROBES = 10
/** How much a command may come later than its timeout, by Redis's clock, and still be executed. */
const SLACK = 50

/** One Redis: its connection, its clock, and whether it can be asked. */
export class Node {
  readonly client: RedisLike
  readonly name: string
  /** True when it has been greeted on this connection and answers. */
  usable: boolean = false
  readonly time: ServerClock
  lastError: Error | undefined
  readonly #context: NodeContext
  readonly #owned: boolean
  #epoch = 0
  #known = false
  #stepped = false
  /** Commands under way, also those we do not wait for any more. */
  #unanswered = 0
  #failed = 0
  #timer: Timer | undefined
  #closed = true
  readonly #scripts = new Set<string>()
  /** By shard, in ms of its wall time. */
  #born: readonly number[] = []

  constructor(client: RedisLike, name: string, owned: boolean, context: NodeContext) {
    this.client = client
    this.name = name
    this.#owned = owned
    this.#context = context
    this.time = new ServerClock(context.clock)
  }

  open(): void {
    if (!this.#closed) return
    this.#closed = false
    this.client.on('error', this.#onError)
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
    this.#onClose()
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
    const expires = Math.ceil(this.time.now() + this.#context.timeout + SLACK)
    return this.tell(script, keys, [expires, ...args], acks)
  }

  /** Runs a script. With `acks`, resolves when so many replicas have what it wrote. */
  async tell(script: Script, keys: string[], args: (string | number)[], acks = 0): Promise<unknown[]> {
    if (!this.usable) throw this.#down()
    const reply = await this.#timed(script, keys, args)
    if (reply[1] === 'unborn') {
      this.usable = false
      void this.greet()
      throw this.#down('it has forgotten us')
    }
    if (reply.slice(1).some((text) => typeof text !== 'string')) throw this.#down('its answer makes no sense')
    if (reply[1] === 'expired') throw this.#down('the command came too late')
    if (acks > 0 && this.client.wait) {
      const had = await this.within(this.client.wait(acks, Math.ceil(this.#context.timeout * 0.8)))
      if (Number(had) < acks) throw this.#down(`only ${had} of ${acks} replicas have it`)
    }
    return reply
  }

  async mget(keys: string[]): Promise<(string | null)[]> {
    if (!this.usable) throw this.#down()
    const values = await this.within(this.client.mget(...keys))
    if (values?.length !== keys.length) throw this.#down('its answer makes no sense')
    return values
  }

  /** Looks after all shards: after each connect, at every scan, and to see whether it answers again. */
  async greet(): Promise<void> {
    if (this.#closed || this.client.status !== 'ready') return
    if (!this.usable && this.#unanswered >= PROBES) return
    const { keys, self, alive, onGreet } = this.#context
    const epoch = this.#epoch
    const probe = { stepped: this.#stepped }
    try {
      const told = Array.from({ length: keys.shards }, async (_, shard) => {
        const args = [self(), alive, this.#known ? 1 : 0, probe.stepped ? 1 : 0, LISTED]
        const reply = await this.#timed(
          TEND,
          [keys.born(shard), keys.open(shard), keys.instances(shard)],
          args,
        )
        return greeting(reply)
      })
      const greetings = await Promise.all(told)
      if (epoch !== this.#epoch || this.#closed) return
      this.#known = true
      if (probe.stepped) this.#stepped = false
      this.#failed = 0
      this.usable = true
      this.lastError = undefined
      this.#born = greetings.map(({ born }) => born)
      for (const [shard, greeted] of greetings.entries()) onGreet(this, shard, greeted)
    } catch {
      if (epoch === this.#epoch) this.#suspect()
    }
  }

  /** How long ago a shard of it may have forgotten something, in ms; Infinity when that is not known. */
  age(shard: number): number {
    const born = this.#born[shard]
    return born === undefined ? Infinity : this.time.now() - born
  }

  /** Waits for an answer, at most the timeout. A node that lets us wait is not asked until it answers again. */
  within<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let late = false
      let turn: NodeJS.Immediate | undefined
      // When this process was held up, the answer may have arrived and not been read yet: it is by the next turn.
      const timer = setTimeout(() => {
        turn = setImmediate(() => {
          late = true
          this.#suspect()
          reject(this.#down(`no answer within ${this.#context.timeout} ms`))
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
          if (late && !this.usable && this.#unanswered === 0) void this.greet()
        },
        (error: Error) => {
          arrived()
          this.#onFault(error)
          reject(error)
        },
      )
    })
  }

  async #timed(script: Script, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const { clock } = this.#context
    const sent = clock.monotonic()
    this.#unanswered++
    const answer = this.#run(script, keys, args).finally(() => {
      this.#unanswered--
    })
    const reply = await this.within(answer)
    if (!Array.isArray(reply) || Number.isNaN(Number(reply[0]))) throw this.#down('its answer makes no sense')
    this.#learn(sent, clock.monotonic(), Number(reply[0]))
    return reply
  }

  async #run(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    if (this.#scripts.has(script.sha)) {
      try {
        return await this.client.evalsha(script.sha, keys.length, ...keys, ...args)
      } catch (error) {
        if (!(error as Error).message?.startsWith('NOSCRIPT')) throw error
      }
    }
    const reply = await this.client.eval(script.source, keys.length, ...keys, ...args)
    // A Cluster has many servers, each with scripts of its own: NOSCRIPT leads here again.
    this.#scripts.add(script.sha)
    return reply
  }

  #learn(sent: number, received: number, now: number): void {
    const by = this.time.learn(sent, received, now)
    if (by === 0) return
    this.#context.onStep(this, by)
    // What it gave a time to live has lost as much of it.
    if (by > 0) this.#stepped = true
    void this.greet()
  }

  /** Not to be asked until a probe has been answered. */
  #suspect(): void {
    this.usable = false
    if (this.#timer || this.#closed) return
    this.#failed++
    // Only a new connection helps against a dead one. A user's client is not ours to disconnect.
    if (this.#owned && this.#failed % 4 === 0 && this.client.status === 'ready') this.client.disconnect(true)
    this.#timer = this.#context.clock.setTimeout(
      () => {
        this.#timer = undefined
        void this.greet()
      },
      Math.min(100 * 2 ** this.#failed, 1000),
    )
    this.#timer.unref?.()
  }

  #down(why = `it is ${this.client.status}`): Error {
    const cause = this.lastError
    const message = `Redis ${this.name} cannot be asked: ${why}`
    return new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message, cause ? { cause } : {})
  }

  #onReady = (): void => {
    this.#scripts.clear()
    void this.greet()
  }

  #onClose = (): void => {
    this.#epoch++
    this.usable = false
    if (this.#timer) this.#context.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #onError = (error: Error): void => {
    this.lastError = error
  }

  /** A reply that says this server is no master any more, or not yet. */
  #onFault(error: Error): void {
    this.lastError = error
    if (/^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN)/.test(error.message ?? '')) {
      this.#suspect()
      if (error.message.startsWith('READONLY') && !this.client.isCluster) this.client.disconnect(true)
    }
  }
}
