import { EscapementError } from '@escapement/core'
import { fail, redact, show } from '@escapement/core/plugin'

/** What is used of a Redis client. Those of ioredis 5 and 6 fit: single, Sentinel, and Cluster. */
export interface RedisClient {
  /** `'ready'` when commands are sent at once. */
  readonly status: string
  evalsha(sha: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  connect(): Promise<unknown>
  disconnect(reconnect?: boolean): void
  // biome-ignore lint/suspicious/noExplicitAny: emitters differ in what they pass
  on(event: string, listener: (...args: any[]) => void): unknown
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...args: any[]) => void): unknown
}

/** How long an answer of Redis is waited for, in ms. */
const TIMEOUT_MS = 5_000

const METHODS = ['evalsha', 'eval', 'on', 'off'] as const

/**
 * Checks what is given for a Redis: an ioredis client, or a URL.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function checkRedis(option: string, given: unknown): RedisClient | string {
  if (typeof given !== 'string') {
    if (METHODS.some((method) => typeof (given as RedisClient | null)?.[method] !== 'function'))
      fail(option, 'an ioredis client (with a method evalsha) or a URL', given)
    return given as RedisClient
  }
  const { protocol, hostname, pathname } = URL.canParse(given) ? new URL(given) : ({} as Partial<URL>)
  if (!hostname || !/^rediss?:$/.test(protocol ?? '') || !/^\/?\d*$/.test(pathname ?? ''))
    fail(option, 'a URL like redis://host:6379/0 or rediss://…', redact(given))
  return given
}

/** A client that was given or made. */
export interface OpenClient {
  readonly client: RedisClient
  /** Closes one that was made here. One of the user's stays open. */
  close(): void
}

/**
 * The client that was given, or one for the URL. A connection that fails is made again; commands fail meanwhile.
 *
 * @throws ERR_ESCAPEMENT_PLUGIN when ioredis is not installed, ERR_ESCAPEMENT_OPTION when it does not take the URL
 */
export async function openClient(plugin: string, redis: RedisClient | string): Promise<OpenClient> {
  if (typeof redis !== 'string') {
    if (redis.status === 'wait') await redis.connect().catch(() => {})
    return { client: redis, close() {} }
  }
  const client = await make(plugin, redis)
  // What fails is said where a command fails.
  client.on('error', () => {})
  await client.connect().catch(() => {})
  return { client, close: () => client.disconnect() }
}

async function make(plugin: string, url: string): Promise<RedisClient> {
  const ioredis = await import('ioredis').catch((cause: unknown) => {
    const message = `${plugin}() needs the package ioredis to connect to a URL: npm install ioredis`
    throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message, { cause })
  })
  const Redis = ioredis.Redis ?? ioredis.default
  try {
    return new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout: TIMEOUT_MS,
      connectTimeout: TIMEOUT_MS,
      retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 1_000),
    }) as unknown as RedisClient
  } catch (error) {
    const message = `redis must be a URL that ioredis can read: ${redact(show(error))}`
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
  }
}
