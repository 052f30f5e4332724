import type { Duration } from '@escapement/core'
import { checkKeys, fail, parseRetention, type Retention } from '@escapement/core/plugin'
import { checkRedis, type RedisClient } from '@escapement/redis-fleet'

export interface RedisStoreOptions {
  /** An ioredis client, single, Sentinel or Cluster, or a URL. */
  redis: RedisClient | string
  /** Stores with different prefixes do not see each other. Default `'escapement'`. */
  prefix?: string
  /**
   * What all of it may hold in Redis, about: a number of bytes, or a text with `kb`, `mb` or `gb`. Three quarters are for
   * runs, a quarter is for counters. Default `'64mb'`.
   */
  maxBytes?: number | string
  /** What is kept at least, and for how long, as far as `maxBytes` goes. */
  retention?: RedisRetention
}

export interface RedisRetention {
  /** The newest runs of each job that are removed last. Ticks that did not run are counted apart. Default 100. */
  runs?: number
  /** How long other runs are kept. Default 8 days. */
  age?: Duration
  /** How many runs are kept in all, beyond those. Default 1,000,000. */
  total?: number
  /** Of failures: how long they are kept, and at most how many of a job. Default 90 days, 1,000. */
  failures?: { age?: Duration; runs?: number }
}

/** Options as they are used: checked, in bytes and milliseconds. */
export interface Settings extends Retention {
  readonly redis: RedisClient | string
  readonly prefix: string
  readonly runBytes: number
  /** How many counters of an hour of a job there may be, and as many of days. */
  readonly counters: number
}

/** What a counter of a job takes, about, in bytes. */
const COUNTER_BYTES = 500
const MIN_BYTES = 64 * 1024
const UNITS: Readonly<Record<string, number>> = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseOptions(options: RedisStoreOptions): Settings {
  checkKeys(options, { redis: 1, prefix: 1, maxBytes: 1, retention: 1 }, 'redisStore() option')
  const { prefix = 'escapement', maxBytes = '64mb' } = options
  if (typeof prefix !== 'string' || !/^[\w.:/-]{1,100}$/.test(prefix))
    fail('prefix', '1 to 100 letters, digits and . : / _ -', prefix)
  const bytes = parseBytes(maxBytes)
  return {
    redis: checkRedis('redis', options.redis),
    prefix,
    runBytes: Math.floor((bytes * 3) / 4),
    counters: Math.floor(bytes / 4 / COUNTER_BYTES / 2),
    ...parseRetention(options.retention),
  }
}

function parseBytes(given: number | string): number {
  const text = typeof given === 'string' ? given : ''
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*(kb|mb|gb)$/i.exec(text) ?? []
  const bytes = typeof given === 'number' ? given : Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN)
  if (!(bytes >= MIN_BYTES && bytes <= 1e12))
    fail('maxBytes', "a number of bytes, or a text like '64mb'; at least 64 kb", given)
  return Math.floor(bytes)
}
