import { EscapementError } from '@escapement/core'
import { show } from '@escapement/core/plugin'
import { redacted, scrub, secretsOf } from './url.ts'

/** What is used of a Redis client. Those of ioredis 4, 5 and 6 fit: single, Sentinel, and Cluster. */
export interface RedisLike {
  /** `'ready'` when commands are sent at once. */
  readonly status: string
  readonly isCluster?: boolean
  readonly options?: object
  evalsha(sha: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  mget(...keys: string[]): Promise<(string | null)[]>
  wait?(replicas: number, ms: number): Promise<unknown>
  /** The connections of a Cluster. */
  nodes?(): { ping(): Promise<unknown>; disconnect(reconnect?: boolean): void }[]
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

/**
 * A client for a URL. ioredis is loaded here and nowhere else: who gives clients may use any version.
 *
 * @throws ERR_ESCAPEMENT_PLUGIN when ioredis is not installed, ERR_ESCAPEMENT_OPTION when it does not take the URL
 */
export async function connect(url: string, timeout: number): Promise<RedisLike> {
  const ioredis = await import('ioredis').catch((cause: unknown) => {
    const message = `redisLock() needs the package ioredis to connect to a URL: npm install ioredis`
    throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message, { cause })
  })
  // Before 5.2 there is no export of this name.
  const Redis = ioredis.Redis ?? ioredis.default
  try {
    return new Redis(url, {
      ...SAFE,
      lazyConnect: true,
      // It would only hide what an answer tells: that Redis is loading, or which right is missing.
      enableReadyCheck: false,
      // For what a connection begins with. Node.within() decides how long a command is waited for.
      commandTimeout: 5 * timeout,
      connectTimeout: Math.max(1000, timeout),
      retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 1000),
    }) as unknown as RedisLike
  } catch (error) {
    const why = scrub(show(error), secretsOf(url))
    const message = `clients must be URLs that ioredis can read, but ${redacted(url)} is none: ${why}`
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
  }
}

/**
 * Replaces a connection that answers nothing, or that leads to a server which is no master any more. ioredis connects
 * again, and sends again what the app waits for (`autoResendUnfulfilledCommands`). Of a Cluster, only connections that
 * are silent for `ms` are replaced.
 */
export async function reconnect(client: RedisLike, ms: number): Promise<void> {
  if (!client.isCluster || !client.nodes) {
    client.disconnect(true)
    return
  }
  const silent = client.nodes().map(async (node) => {
    const answered = node.ping().then(
      () => true,
      () => true,
    )
    const late = new Promise<boolean>((resolve) => {
      setTimeout(resolve, ms, false).unref()
    })
    if (!(await Promise.race([answered, late]))) node.disconnect(true)
  })
  await Promise.all(silent)
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
