import { type Duration, EscapementError, parseDuration } from '@escapement/core'
import type { RedisLike } from './client.ts'
import { redacted } from './url.ts'

export interface RedisLockOptions {
  /** An ioredis client or URL for each Redis: one, or several independent masters that decide by majority. */
  clients: readonly (RedisLike | string)[]
  /** Fleets with different namespaces do not see each other. Default `'escapement'`. */
  namespace?: string
  /** How long a run is held without news from its instance. Default 15 s. */
  lease?: Duration
  /** How often a lease is renewed. Default a third of the lease. */
  beat?: Duration
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
  /** With `'rerun'`: starts of one tick, the first included. Default 3. */
  maxStarts?: number
  /** For jobs that do not say: what to do with a tick while Redis is down. Default `'skip'`. */
  redisDown?: 'skip' | 'run'
  /** A lease is kept at least this long, also when the run ends sooner. Default 0. */
  minHold?: Duration
  /** Replicas that must have a claim before it counts. Not for Cluster clients. Default 0. */
  replicaAcks?: number
  /** Distrust a Redis that was restarted or replaced. Default true. */
  guard?: boolean
  /** How long to wait for an answer of Redis. Default 500 ms, at most a quarter of the lease. */
  timeout?: Duration
}

/** Options as the lock reads them: checked, in milliseconds. */
export interface Settings {
  readonly clients: readonly (RedisLike | string)[]
  readonly namespace: string
  readonly lease: number
  readonly beat: number
  readonly scan: number
  readonly retention: number
  readonly maxLate: number
  readonly maxClockSkew: number
  readonly onAbandoned: 'record' | 'rerun' | undefined
  readonly maxStarts: number
  readonly redisDown: 'skip' | 'run' | undefined
  readonly minHold: number
  readonly replicaAcks: number
  readonly guard: boolean
  readonly timeout: number
  /** How much earlier than by Redis's clock a tick may be claimed. */
  readonly early: number
}

const KNOWN = {
  clients: 1,
  namespace: 1,
  lease: 1,
  beat: 1,
  scan: 1,
  retention: 1,
  maxLate: 1,
  maxClockSkew: 1,
  onAbandoned: 1,
  maxStarts: 1,
  redisDown: 1,
  minHold: 1,
  replicaAcks: 1,
  guard: 1,
  timeout: 1,
} satisfies Record<keyof RedisLockOptions, 1>

/**
 * Checks the options.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseOptions(options: RedisLockOptions): Settings {
  if (typeof options !== 'object' || options === null) fail('redisLock(options)', 'an object', options)
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(KNOWN, key)) fail(`redisLock option ${key}`, `one of ${Object.keys(KNOWN).join(', ')}`)
  }
  const ms = (name: keyof RedisLockOptions, fallback: Duration, min: number, max = 86_400_000) =>
    Math.round(parseDuration((options[name] ?? fallback) as Duration, name, { min, max }))
  const lease = ms('lease', '15s', 200, 3_600_000)
  const beat = ms('beat', lease / 3, 20)
  if (beat > lease / 2) fail('beat', `at most half the lease (${lease / 2} ms)`, options.beat)
  const scan = ms('scan', '5s', 50, 3_600_000)
  const maxLate = ms('maxLate', '30s', 1000)
  const retention = ms('retention', '15m', 1000, 30 * 86_400_000)
  // Abandoned runs are found a lease and a scan later; some rounds of that must fit in.
  const least = maxLate + 3 * (lease + 1.25 * scan)
  if (retention < least) {
    fail('retention', `at least maxLate + 3 × (lease + 1.25 × scan) = ${least} ms`, options.retention)
  }
  const { namespace = 'escapement', guard = true } = options
  if (typeof namespace !== 'string' || !/^[\w.:/-]{1,100}$/.test(namespace)) {
    fail('namespace', '1 to 100 letters, digits and . : / _ -', namespace)
  }
  if (typeof guard !== 'boolean') fail('guard', 'true or false', guard)
  const clients = parseClients(options.clients)
  const replicaAcks = whole('replicaAcks', options.replicaAcks ?? 0, 0, 100)
  if (replicaAcks > 0 && clients.some((client) => typeof client !== 'string' && client.isCluster)) {
    fail('replicaAcks', '0 with a Cluster client, which has no connection to wait on', replicaAcks)
  }
  return {
    clients,
    namespace,
    lease,
    beat,
    scan,
    retention,
    maxLate,
    maxClockSkew: ms('maxClockSkew', '5s', 100),
    onAbandoned: oneOf('onAbandoned', options.onAbandoned, ['record', 'rerun']),
    maxStarts: whole('maxStarts', options.maxStarts ?? 3, 1, 1000),
    redisDown: oneOf('redisDown', options.redisDown, ['skip', 'run']),
    minHold: ms('minHold', 0, 0, lease),
    replicaAcks,
    guard,
    timeout: ms('timeout', Math.min(500, lease / 4), 10, lease / 3),
    early: 50,
  }
}

function parseClients(clients: unknown): readonly (RedisLike | string)[] {
  if (!Array.isArray(clients) || clients.length === 0) {
    fail('clients', 'an array of ioredis clients or redis:// URLs', clients)
  }
  if (new Set(clients).size < clients.length) fail('clients', 'different servers', 'one given twice')
  for (const client of clients as unknown[]) {
    if (typeof client === 'string') {
      if (!/^rediss?:\/\/\S+$/.test(client)) fail('clients', 'redis:// or rediss:// URLs', redacted(client))
    } else if (typeof (client as RedisLike | undefined)?.evalsha !== 'function') {
      fail('clients', 'ioredis clients (with a method evalsha) or URLs', client)
    }
  }
  return clients as (RedisLike | string)[]
}

function oneOf<const T extends string>(name: string, given: unknown, allowed: readonly T[]): T | undefined {
  if (given === undefined || allowed.includes(given as T)) return given as T | undefined
  return fail(name, allowed.map((value) => `'${value}'`).join(' or '), given)
}

function whole(name: string, given: unknown, min: number, max: number): number {
  if (typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max) return given
  return fail(name, `a whole number from ${min} to ${max}`, given)
}

function fail(name: string, expected: string, ...given: unknown[]): never {
  const but = given.length > 0 ? `, but is ${show(given[0])}` : ''
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', `${name} must be ${expected}${but}`)
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null)
    return `an object (${Object.keys(value).slice(0, 5).join(', ')})`
  return String(value)
}
