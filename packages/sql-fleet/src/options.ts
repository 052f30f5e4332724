import { type Duration, parseDuration } from '@escapement/core'
import { checkKeys, fail, flag, integer } from '@escapement/core/plugin'

/** What all backends take. */
export interface FleetOptions {
  /** Whether the database also decides who runs a tick. False when another plugin brings the lock. Default true. */
  lock?: boolean
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
}

/** Options as they are used: checked, in milliseconds. */
export interface FleetSettings {
  readonly lock: boolean
  readonly runs: number
  readonly age: number
  readonly claims: number
  readonly heartbeat: number
  readonly stale: number
  readonly maxStarts: number
}

export const FLEET_OPTIONS: Readonly<Record<keyof FleetOptions, 1>> = {
  lock: 1,
  retention: 1,
  heartbeat: 1,
  stale: 1,
  maxStarts: 1,
}

/** Where another plugin finds the dead, the heartbeat only keeps no run open for ever. */
const STALE_WITHOUT_LOCK_MS = 300_000

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseFleetOptions(options: FleetOptions): FleetSettings {
  const { retention = {} } = options
  checkKeys(retention, { runs: 1, age: 1, claims: 1 }, 'retention option')
  const lock = flag('lock', options.lock ?? true)
  const heartbeat = parseDuration(options.heartbeat ?? '5s', 'heartbeat', { min: 50, max: 3_600_000 })
  const stale = parseDuration(options.stale ?? '20s', 'stale', { min: 200, max: 86_400_000 })
  if (stale < 2 * heartbeat)
    fail('stale', `at least twice the heartbeat (${2 * heartbeat} ms)`, options.stale)
  return {
    lock,
    runs: integer('retention.runs', retention.runs ?? 100, 1, 1e7),
    age: parseDuration(retention.age ?? '14d', 'retention.age', { min: 1000 }),
    claims: parseDuration(retention.claims ?? '48h', 'retention.claims', { min: 1000 }),
    heartbeat,
    stale: lock ? stale : Math.max(stale, STALE_WITHOUT_LOCK_MS),
    maxStarts: integer('maxStarts', options.maxStarts ?? 3, 1, 1000),
  }
}
