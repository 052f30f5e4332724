import { resolve } from 'node:path'
import { type Duration, EscapementError, parseDuration } from '@escapement/core'
import { isPath } from './identity.ts'

export interface SqliteOptions {
  /** Path of the file; made if it is not there, with its folder. `':memory:'` for tests. */
  file: string
  /**
   * `'batched'`: written in groups; a killed process loses at most its last 20 ms of records, a power failure
   * at most the last heartbeat's time. `'full'`: each claim and each end is on the disk before it counts.
   * Default `'batched'`.
   */
  durability?: 'batched' | 'full'
  /** What is kept. */
  retention?: {
    /** Runs of each job, and apart from them as many ticks that did not run. Default 100. */
    runs?: number
    /** Older runs go, however few there are. Default 14 days. */
    age?: Duration
    /** How long the claim of a tick is kept: longer than the longest `catchUp` of a job. Default 48 h. */
    claims?: Duration
  }
  /** Between two heartbeats of this process. Default 5 s. */
  heartbeat?: Duration
  /** A process without a heartbeat for so long is dead: its runs are abandoned. Default 20 s. */
  stale?: Duration
  /** With `onAbandoned: 'rerun'`: starts of one tick, the first included. Default 3. */
  maxStarts?: number
  /** Whether the file also decides who runs a tick. False when another plugin brings the lock. Default true. */
  lock?: boolean
}

/** Options as they are used: checked, in milliseconds. */
export interface Settings {
  readonly file: string
  readonly full: boolean
  readonly runs: number
  readonly age: number
  readonly claims: number
  readonly heartbeat: number
  readonly stale: number
  readonly maxStarts: number
  readonly lock: boolean
}

const KNOWN = ['file', 'durability', 'retention', 'heartbeat', 'stale', 'maxStarts', 'lock']

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseOptions(options: SqliteOptions): Settings {
  if (typeof options !== 'object' || options === null) fail('sqlite(options)', 'an object')
  check(options, KNOWN, 'sqlite')
  const { file, durability = 'batched', retention = {}, lock = true } = options
  check(retention, ['runs', 'age', 'claims'], 'retention')
  if (typeof file !== 'string' || file === '') fail('file', 'the path of a file')
  if (durability !== 'batched' && durability !== 'full') fail('durability', "'batched' or 'full'")
  if (typeof lock !== 'boolean') fail('lock', 'true or false')
  const heartbeat = parseDuration(options.heartbeat ?? '5s', 'heartbeat', { min: 50, max: 3_600_000 })
  const stale = parseDuration(options.stale ?? '20s', 'stale', { min: 200, max: 86_400_000 })
  if (stale < 2 * heartbeat) fail('stale', `at least twice the heartbeat (${2 * heartbeat} ms)`)
  return {
    // The process may change its working directory.
    file: isPath(file) ? resolve(file) : file,
    full: durability === 'full',
    runs: whole('retention.runs', retention.runs ?? 100, 1e7),
    age: parseDuration(retention.age ?? '14d', 'retention.age', { min: 1000 }),
    claims: parseDuration(retention.claims ?? '48h', 'retention.claims', { min: 1000 }),
    heartbeat,
    // Where another plugin tells the dead, ours is only to keep no run open for ever.
    stale: lock ? stale : Math.max(stale, 300_000),
    maxStarts: whole('maxStarts', options.maxStarts ?? 3, 1000),
    lock,
  }
}

function check(given: object, known: readonly string[], what: string): void {
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) fail(`${what} option ${key}`, `one of ${known.join(', ')}`)
  }
}

function whole(name: string, given: unknown, max: number): number {
  if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= max) return given
  return fail(name, `a whole number from 1 to ${max}`)
}

function fail(name: string, expected: string): never {
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', `${name} must be ${expected}`)
}
