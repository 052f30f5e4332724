import { EscapementError } from '@escapement/core'

/** What is used of a Redis client. Those of ioredis 5 and 6 fit: single, Sentinel, and Cluster. */
export interface RedisLike {
  /** `'ready'` when commands are sent at once. */
  readonly status: string
  readonly isCluster?: boolean
  readonly options?: object
  evalsha(sha: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  mget(...keys: string[]): Promise<(string | null)[]>
  wait?(replicas: number, ms: number): Promise<unknown>
  connect(): Promise<unknown>
  disconnect(reconnect?: boolean): void
  // biome-ignore lint/suspicious/noExplicitAny: emitters differ in what they pass
  on(event: string, listener: (...args: any[]) => void): unknown
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...args: any[]) => void): unknown
}

/** What keeps a command from being executed later than we know of, and a promise from being kept for ever. */
const SAFE: Readonly<Record<string, unknown>> = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
}

/** A client for a URL. ioredis is loaded here and nowhere else: who gives clients may use any version. */
export async function connect(url: string, timeout: number): Promise<RedisLike> {
  const { Redis } = await import('ioredis').catch((cause: unknown) => {
    const message = `redisLock() needs the package ioredis to connect to a URL: npm install ioredis`
    throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message, { cause })
  })
  return new Redis(url, {
    ...SAFE,
    lazyConnect: true,
    // For what a connection begins with. How long we wait for a command is told by Node.within().
    commandTimeout: 5 * timeout,
    connectTimeout: Math.max(1000, timeout),
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 1000),
  }) as unknown as RedisLike
}

/** The options of a user's client that would be better otherwise: `enableOfflineQueue: true (better: false)`. */
export function unsafeOptions(client: RedisLike): string[] {
  const outer = (client.options ?? {}) as Record<string, unknown>
  const inner = client.isCluster ? (outer.redisOptions as Record<string, unknown> | undefined) : outer
  const found: string[] = []
  for (const [name, better] of Object.entries(SAFE)) {
    const given = name === 'enableOfflineQueue' ? outer[name] : inner?.[name]
    if (given === better || (client.isCluster && given === undefined)) continue
    found.push(`${name}: ${String(given)} (better: ${String(better)})`)
  }
  if (!client.isCluster && !inner?.commandTimeout) found.push('commandTimeout: none (better: 500)')
  return found
}
