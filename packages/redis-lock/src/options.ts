import type { Duration } from '@escapement/core'
import { checkKeys, duration, fail, flag, integer, oneOf } from '@escapement/core/plugin'
import type { RedisLike } from './connection/client.ts'
import { redacted } from './connection/url.ts'
import { MAX_LEASE_MS } from './members/roster.ts'

export interface RedisLockOptions {
  /** An ioredis client or URL for each Redis: one, or several independent masters that decide by majority. */
  clients: readonly (RedisLike | string)[]
  /** Fleets with different namespaces do not see each other. Default `'escapement'`. */
  namespace?: string
  /** How long a run is held without news from its instance. Default 15 s. */
  lease?: Duration
  /** How often a lease is renewed. Default a third of the lease. */
  heartbeat?: Duration
  /** How often abandoned runs are looked for, ±25 %. Default 5 s. */
  scan?: Duration
  /** How long Redis remembers a tick, about 215 bytes each. Default 15 min. */
  retention?: Duration
  /** Older ticks are started only if neither they nor a later one of their job ever was. Default 30 s. */
  maxLate?: Duration
  /** Redis nodes whose clocks are further apart are not counted; a machine's clock is an error. Default 5 s. */
  maxClockSkew?: Duration
  /** For jobs that do not say: note a run whose instance died, or run its tick again. Default `'record'`. */
  onAbandoned?: 'record' | 'rerun'
  /** With `'rerun'`: further starts of a tick whose instances died. Default 2. */
  maxRestarts?: number
  /** For jobs that do not say: what to do with a tick while Redis is down. Default `'skip'`. */
  onLockUnavailable?: 'skip' | 'run'
  /** A lease is kept at least this long, also when the run ends sooner. Default 0. */
  minHold?: Duration
  /** Replicas that must have a claim before it counts. Not for Cluster clients. Default 0. */
  replicaAcks?: number
  /** Distrust a Redis that was restarted or replaced. Default true. */
  guard?: boolean
  /** Share pauses, commands and members over these Redis, unless a store plugin does. Default true. */
  fleet?: boolean
  /** How long to wait for an answer of Redis. Default 500 ms, at most a quarter of the lease. */
  timeout?: Duration
}

/** Options as the lock reads them: checked, in milliseconds. */
export interface Settings {
  readonly clients: readonly (RedisLike | string)[]
  readonly namespace: string
  readonly lease: number
  readonly heartbeat: number
  readonly scan: number
  readonly retention: number
  readonly maxLate: number
  readonly maxClockSkew: number
  readonly onAbandoned: 'record' | 'rerun' | undefined
  readonly maxRestarts: number
  readonly onLockUnavailable: 'skip' | 'run' | undefined
  readonly minHold: number
  readonly replicaAcks: number
  readonly guard: boolean
  readonly fleet: boolean
  readonly timeout: number
  /** How much earlier than by Redis's clock a tick may be claimed. */
  readonly early: number
}

export const DEFAULT_NAMESPACE = 'escapement'

const KNOWN = {
  clients: 1,
  namespace: 1,
  lease: 1,
  heartbeat: 1,
  scan: 1,
  retention: 1,
  maxLate: 1,
  maxClockSkew: 1,
  onAbandoned: 1,
  maxRestarts: 1,
  onLockUnavailable: 1,
  minHold: 1,
  replicaAcks: 1,
  guard: 1,
  fleet: 1,
  timeout: 1,
} satisfies Record<keyof RedisLockOptions, 1>

/**
 * Checks the options.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseOptions(options: RedisLockOptions): Settings {
  checkKeys(options, KNOWN, 'redisLock() option')
  const { namespace = DEFAULT_NAMESPACE, guard = true, maxRestarts = 2, replicaAcks = 0 } = options
  const { onAbandoned, onLockUnavailable } = options
  const lengths = parseLengths(options)
  if (typeof namespace !== 'string' || !/^[\w.:/-]{1,100}$/.test(namespace)) {
    fail('namespace', '1 to 100 letters, digits and . : / _ -', namespace)
  }
  const clients = parseClients(options.clients)
  if (replicaAcks > 0 && clients.some((client) => typeof client !== 'string' && client.isCluster)) {
    fail('replicaAcks', '0 with a Cluster client, which has no connection to wait on', replicaAcks)
  }
  return {
    clients,
    namespace,
    ...lengths,
    onAbandoned:
      onAbandoned === undefined ? undefined : oneOf('onAbandoned', onAbandoned, ['record', 'rerun']),
    maxRestarts: integer('maxRestarts', maxRestarts, 0, 1000),
    onLockUnavailable:
      onLockUnavailable === undefined
        ? undefined
        : oneOf('onLockUnavailable', onLockUnavailable, ['skip', 'run']),
    replicaAcks: integer('replicaAcks', replicaAcks, 0, 100),
    guard: flag('guard', guard),
    fleet: flag('fleet', options.fleet ?? true),
  }
}

/** All lengths, in ms, checked against each other. */
function parseLengths(options: RedisLockOptions) {
  const ms = (name: keyof RedisLockOptions, fallback: Duration, min: number, max = 86_400_000) =>
    Math.round(duration(name, options[name] === undefined ? fallback : options[name], { min, max }))
  const lease = ms('lease', '15s', 200, MAX_LEASE_MS)
  const heartbeat = ms('heartbeat', lease / 3, 20)
  if (heartbeat > lease / 2) fail('heartbeat', `at most half the lease (${lease / 2} ms)`, options.heartbeat)
  const scan = ms('scan', '5s', 50, 3_600_000)
  const maxLate = ms('maxLate', '30s', 1000)
  const retention = ms('retention', '15m', 1000, 30 * 86_400_000)
  // Abandoned runs are found a lease and a scan later; some rounds of that must fit in.
  const least = maxLate + 3 * (lease + 1.25 * scan)
  if (retention < least) {
    fail('retention', `at least maxLate + 3 × (lease + 1.25 × scan) = ${least} ms`, options.retention)
  }
  return {
    lease,
    heartbeat,
    scan,
    retention,
    maxLate,
    maxClockSkew: ms('maxClockSkew', '5s', 100),
    minHold: ms('minHold', 0, 0, lease),
    timeout: ms('timeout', Math.min(500, lease / 4), 10, lease / 3),
    early: 50,
  }
}

/** What is called of a client. */
const METHODS = ['evalsha', 'eval', 'mget', 'on', 'off', 'connect', 'disconnect'] as const

function parseClients(given: unknown): readonly (RedisLike | string)[] {
  if (!Array.isArray(given) || given.length === 0) {
    const shown = typeof given === 'string' ? redacted(given) : given
    fail('clients', 'an array of ioredis clients or redis:// URLs', shown)
  }
  const clients: unknown[] = given
  const servers = new Set<unknown>()
  for (const [i, client] of clients.entries()) {
    if (typeof client === 'string') checkUrl(client)
    else if (METHODS.some((method) => typeof (client as RedisLike | null)?.[method] !== 'function')) {
      fail('clients', 'ioredis clients (with a method evalsha) or URLs', client)
    }
    const server = typeof client === 'string' ? serverOf(client) : client
    if (servers.has(server)) fail('clients', 'different servers', `one given twice: the one at index ${i}`)
    servers.add(server)
  }
  return clients as (RedisLike | string)[]
}

function checkUrl(url: string): void {
  const { protocol, hostname, pathname } = URL.canParse(url) ? new URL(url) : ({} as Partial<URL>)
  if (!/^rediss?:\/\/\S+$/.test(url) || !hostname || !/^rediss?:$/.test(protocol ?? '')) {
    fail('clients', 'redis:// or rediss:// URLs, with what is special in a password as %40', redacted(url))
  }
  if (!/^\/?\d*$/.test(pathname ?? '')) {
    fail('clients', 'URLs whose path is the number of a database (redis://host:6379/0)', redacted(url))
  }
}

/** Names of this machine, as URL gives them. */
const LOOPBACK = ['localhost', '[::1]', '[::ffff:7f00:1]']

/** Where a URL leads, whatever the database and the user. */
function serverOf(url: string): string {
  const { hostname, port } = new URL(url)
  const host = hostname.toLowerCase().replace(/\.$/, '')
  return `${LOOPBACK.includes(host) ? '127.0.0.1' : host}:${port || 6379}`
}
