import { type Clock, EscapementError, type Logger, systemClock, type Timer } from '@escapement/core'
import { describe, type Troubles } from '@escapement/core/plugin'
import { execute, type OpenClient, openClient, type RedisClient, type Script } from '@escapement/redis-fleet'

/** How many writes wait in memory, and how many bytes of theirs, while Redis takes none: then the oldest are lost. */
const MAX_WAITING = 20_000
const MAX_WAITING_BYTES = 32 * 1024 * 1024
/** How many are sent together. */
const BATCH = 500
/** Until another try, in ms: doubled by each failure, up to the second. */
const RETRY_MS = 50
const MAX_RETRY_MS = 1_000
/** How long an answer is waited for, in ms. */
const ANSWER_MS = 10_000

const EFFECT =
  'runs go on; what is to be kept waits in memory (at most 20,000 records, 32 MB) and is written again'

interface Write {
  readonly script: Script
  readonly args: readonly (string | number)[]
  readonly bytes: number
  readonly answered: ((answer: unknown) => void) | undefined
}

interface WriterParts {
  readonly redis: RedisClient | string
  /** `{prefix}:store:meta`: all keys have its hash tag. */
  readonly key: string
}

/** Writes to Redis, in order, with no hurry. Each write may be made twice: its script sees that. */
export class Writer {
  clock: Clock = systemClock
  troubles: Troubles | undefined
  log: Logger | undefined
  readonly #parts: WriterParts
  #open: Promise<OpenClient> | undefined
  #client: OpenClient | undefined
  #waiting: Write[] = []
  #bytes = 0
  #lost = 0
  #failures = 0
  #flushing: Promise<void> | undefined
  #timer: Timer | undefined
  #soon = false
  /** Scripts that this Redis is known to have. */
  readonly #known = new Set<string>()

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  async open(): Promise<RedisClient> {
    this.#open ??= openClient('redisStore', this.#parts.redis)
    this.#client = await this.#open
    return this.#client.client
  }

  /** How many writes wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Executes a script with the next group. */
  later(script: Script, args: readonly (string | number)[], answered?: (answer: unknown) => void): void {
    const bytes = args.reduce((sum: number, arg) => sum + String(arg).length, 0)
    this.#waiting.push({ script, args, bytes, answered })
    this.#bytes += bytes
    while (this.#waiting.length > MAX_WAITING || this.#bytes > MAX_WAITING_BYTES) {
      this.#bytes -= this.#waiting.shift()?.bytes ?? 0
      this.#lost++
    }
    if (this.#soon || this.#timer) return
    this.#soon = true
    setImmediate(() => {
      this.#soon = false
      this.flush().catch(() => {})
    })
  }

  /** Executes a script now, behind what waits. @throws ERR_ESCAPEMENT_UNAVAILABLE */
  async ask(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    try {
      await this.flush()
      const answer = await this.#execute(script, args)
      return answer
    } catch (cause) {
      const message = `redis-store: ${describe(cause).message}`
      throw new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message, { cause })
    }
  }

  /** Executes a script of other keys now, whatever waits. */
  async execute(script: Script, key: string, args: readonly (string | number)[]): Promise<unknown> {
    const client = this.#client?.client
    if (client?.status !== 'ready') throw new Error(notConnected(client))
    return execute(client, script, key, args)
  }

  /** Writes what waits. Rejects when Redis takes it not. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#flushing ??= this.#writeBatch().finally(() => {
        this.#flushing = undefined
      })
      await this.#flushing
    }
  }

  /** Waits at most `ms` until all is written. Gives how many writes are left. */
  async close(ms: number): Promise<number> {
    const end = performance.now() + ms
    while (this.#waiting.length > 0 && performance.now() < end) {
      const late = new Promise((resolve) => setTimeout(resolve, Math.min(100, ms)).unref())
      await Promise.race([this.flush().catch(() => late), late])
    }
    if (this.#timer) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    const left = this.#waiting.length
    this.#waiting = []
    this.#bytes = 0
    this.#client?.close()
    this.#client = this.#open = undefined
    return left
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH)
    const failed: Write[] = []
    let reason: unknown
    const write = async (one: Write) => {
      const error = await this.#write(one)
      if (error === undefined) return
      reason = error
      failed.push(one)
    }
    const sent: Promise<void>[] = []
    for (const one of batch) {
      const writing = write(one)
      sent.push(writing)
      // The order is kept while scripts are given to a server that does not have them.
      if (!this.#known.has(one.script.sha)) await writing
    }
    await Promise.all(sent)
    if (failed.length === 0) return this.#works()
    this.#waiting.unshift(...failed)
    this.#fails(reason)
    throw reason
  }

  /** Resolves to why it is to be made again, if so. */
  async #write(one: Write): Promise<unknown> {
    try {
      const answer = await this.#execute(one.script, one.args)
      this.#bytes -= one.bytes
      one.answered?.(answer)
    } catch (error) {
      if (!isFaulty(error)) return error
      this.#bytes -= one.bytes
      this.troubles?.fail('redis-store.script', error, 'a record is not kept')
    }
    return undefined
  }

  async #execute(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    const client = this.#client?.client ?? (await this.open())
    if (client.status !== 'ready') throw new Error(notConnected(client))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, ANSWER_MS, new Error(`Redis has not answered for ${ANSWER_MS / 1000} s`))
      timer.unref()
    })
    try {
      const answer = await Promise.race([execute(client, script, this.#parts.key, args), late])
      this.#known.add(script.sha)
      return answer
    } catch (error) {
      this.#known.clear()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #works(): void {
    this.#failures = 0
    this.troubles?.works('redis-store')
    if (this.#lost === 0) return
    const lost = this.#lost
    this.#lost = 0
    this.log?.error({ lost }, `redis-store: ${lost} writes were lost: too many waited for Redis`)
  }

  #fails(error: unknown): void {
    this.troubles?.fail('redis-store', error, EFFECT)
    if (this.#timer) return
    const delay = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(this.#failures++, 10))
    const timer = this.clock.setTimeout(() => {
      this.#timer = undefined
      this.flush().catch(() => {})
    }, delay)
    timer.unref?.()
    this.#timer = timer
  }
}

function notConnected(client: RedisClient | undefined): string {
  return `Redis is not connected: its client is in state ${client?.status ?? 'closed'}`
}

/** The write itself cannot be made, now or later. */
function isFaulty(error: unknown): boolean {
  const { message } = describe(error)
  return /^WRONGTYPE|^ERR .*user_script/.test(message)
}
