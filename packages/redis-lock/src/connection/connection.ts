import type { Socket } from 'node:net'
import { type Clock, EscapementError, type Logger } from '@escapement/core'
import { type Cause, causeOf } from './cause.ts'
import { type RedisLike, reconnect } from './client.ts'
import { Trouble } from './trouble.ts'
import { scrub, secretsOf } from './url.ts'

export interface ConnectionContext {
  readonly clock: Clock
  readonly log: Logger
  /** How long an answer is waited for, in ms. */
  readonly timeout: number
  /** What it means that this Redis cannot be used: completes its line. */
  readonly meaning: () => string
}

/** The caller that asks over a connection. */
export interface Asker {
  /** How many parts of its keys cannot be asked for, of how many. */
  readonly down: number
  readonly of: number
  onReady(): void
  /** Nothing that is known of the connection holds any more. */
  onLost(): void
  /** Whether it can be used may have changed. */
  onChange(): void
}

/** The shortest and the longest time from one new connection to the next, in ms. */
const RECONNECT = { min: 1000, max: 15_000 }

const CLOSED: Cause = {
  kind: 'closed',
  what: 'its client was closed by the app, or has given up to reconnect (retryStrategy)',
  advice: 'Close it after `await scheduler.stop()`: until then runs that end are written with it.',
  lasting: true,
}
const UNREADY: Cause = {
  kind: 'away',
  what: 'its client does not get ready: Redis is loading its data, hangs, or expects TLS or none',
  advice: 'Check that it runs; rediss:// is for a port with TLS, redis:// for one without.',
  lasting: false,
  vague: true,
}

/** A client, and what messages call its Redis. */
export interface NamedClient {
  readonly client: RedisLike
  readonly name: string
  /** The URL that the client was made for; a client of the user's has none, and is not closed. */
  readonly url: string | undefined
}

/** The connection to one Redis: why it cannot be used, if so, and when a new one is needed. */
export class Connection {
  readonly client: RedisLike
  readonly name: string
  readonly trouble: Trouble
  /** Rises with each connection. */
  epoch = 0
  /** What was said last about why it cannot be used. */
  #cause: Cause | undefined
  /** Commands that Redis refuses although it answers others. */
  readonly #refused = new Map<string, Cause>()
  readonly #context: ConnectionContext
  readonly #asker: Asker
  readonly #owned: boolean
  readonly #secrets: readonly string[]
  #closed = true
  /** It leads to another database than was asked for. */
  #astray = false
  #connectedAt = NaN
  #reconnectAt = -Infinity
  #pause = 0

  constructor({ client, name, url }: NamedClient, context: ConnectionContext, asker: Asker) {
    this.client = client
    this.name = name
    this.#owned = url !== undefined
    this.#context = context
    this.#asker = asker
    this.#secrets = [...secretsOf(url), ...secretsOf(client.options)]
    const { log } = context
    this.trouble = new Trouble(
      context.clock,
      ({ what, advice }) => {
        const { down, of } = asker
        const where = down > 0 && down < of ? ` for ${down} of ${of} parts of its keys` : ''
        const message = `Redis ${name} cannot be used${where}: ${what}. ${advice} ${context.meaning()}`
        log.error({ node: name }, `redis-lock: ${message}`)
      },
      (ms) => {
        const message = `Redis ${name} can be used again, after ${Math.ceil(ms / 1000)} s`
        log.info({ node: name }, `redis-lock: ${message}`)
      },
    )
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
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#forget()
    this.trouble.close()
    this.client.off('connect', this.#onConnect)
    this.client.off('ready', this.#onReady)
    this.client.off('close', this.#onClose)
    this.client.off('end', this.#onClose)
    // Our own client keeps its 'error' listener: it may still have something to complain about.
    if (this.#owned) this.client.disconnect()
    else this.client.off('error', this.#onError)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether commands can be sent; if not, that is looked into. */
  get ready(): boolean {
    const { status } = this.client
    if (status === 'ready') return !this.#astray
    this.#cause ??= status === 'end' ? CLOSED : UNREADY
    // A server that hangs takes connections too.
    const patience = Math.max(2 * RECONNECT.min, 4 * this.#context.timeout)
    if (status === 'connect' && this.#context.clock.monotonic() - this.#connectedAt > patience) this.renew()
    this.review()
    return false
  }

  /** Only a new connection helps against a dead one, whoever made it; less and less often while it does not help. */
  renew(): void {
    const now = this.#context.clock.monotonic()
    if (this.#closed || now < this.#reconnectAt) return
    this.#pause = Math.min(Math.max(RECONNECT.min, 2 * this.#pause), RECONNECT.max)
    this.#reconnectAt = now + this.#pause
    void reconnect(this.client, this.#context.timeout)
  }

  /** All is well. */
  works(): void {
    this.#pause = 0
    this.#cause = undefined
  }

  /** A command was executed. */
  accepted(command: string): void {
    if (this.#refused.delete(command)) this.review()
  }

  /** Keeps what an error says about this Redis, and makes one of it that holds no secret. */
  fault(error: unknown, command?: string): Error {
    const cause = causeOf(error, (text) => scrub(text, this.#secrets))
    if (!cause.vague || !this.#cause) this.#cause = cause
    if (command !== undefined && cause.lasting) this.#refused.set(command, cause)
    // The address may lead to the new master by now.
    if (command !== undefined && cause.kind === 'replica') this.renew()
    return this.down(cause.what)
  }

  down(why: string = this.#cause?.what ?? 'it has not answered yet'): Error {
    return new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', `Redis ${this.name} cannot be used: ${why}`)
  }

  review(): void {
    if (this.#closed) return
    const [refused] = this.#refused.values()
    this.trouble.set(this.#asker.down === 0 ? refused : (this.#cause ?? refused ?? UNREADY))
    // The process may be about to end.
    if (this.#cause === CLOSED) this.trouble.tell()
    this.#asker.onChange()
  }

  #forget(): void {
    this.epoch++
    this.#astray = false
    this.#refused.clear()
    this.#asker.onLost()
  }

  #onConnect = (): void => {
    this.#connectedAt = this.#context.clock.monotonic()
    // What Redis says before it was asked and closes the connection, ioredis does not pass on.
    const { stream } = this.client as { stream?: Pick<Socket, 'once'> | null }
    stream?.once('data', (data: unknown) => {
      const [, denial] = /^-((?:DENIED|ERR max number)[^\r]*)/.exec(String(data)) ?? []
      if (denial) this.fault(new Error(denial))
    })
  }

  #onReady = (): void => this.#asker.onReady()

  #onClose = (): void => {
    this.#forget()
    if (this.client.status === 'end' && !this.#owned) this.#cause = CLOSED
    this.#cause ??= causeOf(new Error('Connection is closed.'), String)
    this.review()
  }

  #onError = (error: unknown): void => {
    this.fault(error)
    // A client whose SELECT fails goes on with database 0.
    if (this.#cause?.kind === 'db') this.#astray = true
    this.review()
  }
}
