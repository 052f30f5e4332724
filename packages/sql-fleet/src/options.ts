import { type Duration, parseDuration } from '@escapement/core'
import { fail, flag, integer, parseRetention, type Retention } from '@escapement/core/plugin'

/** What all backends take. */
export interface FleetOptions {
  /** Whether the database also decides who runs a tick. False when another plugin brings the lock. Default true. */
  lock?: boolean
  /**
   * Whether a start makes and changes tables. Default true. False for a role that may not: a start is refused while
   * statements are missing, which `npx escapement schema --sql` prints.
   */
  migrate?: boolean
  /** What is kept. */
  retention?: {
    /** The newest runs of each job, however old, and apart from them as many ticks that did not run. Default 100. */
    runs?: number
    /** Beyond them all runs of this time, as far as the total goes. Default 8 days. */
    age?: Duration
    /** From how many runs on age alone keeps none. Default 1,000,000. */
    total?: number
    /** Failures are kept for longer, at most a number of each job. Default 90 days, 1,000. */
    failures?: { age?: Duration; runs?: number }
    /** How long the claim of a tick is kept: longer than the longest `catchUpWindow` of a job. Default 48 h. */
    claims?: Duration
  }
  /** Between two heartbeats of this process. Default 5 s. */
  heartbeat?: Duration
  /** A process without a heartbeat for so long is dead: its runs are abandoned. Default 20 s. */
  lease?: Duration
  /** Between two looks for pauses and commands of other processes. Default 400 ms. */
  poll?: Duration
  /** With `onAbandoned: 'rerun'`: further starts of a tick whose instances died. Default 2. */
  maxRestarts?: number
}

/** Options as they are used: checked, in milliseconds. */
export interface FleetSettings extends Retention {
  readonly lock: boolean
  readonly migrate: boolean
  readonly claims: number
  readonly heartbeat: number
  readonly lease: number
  readonly poll: number
  readonly maxRestarts: number
}

export const FLEET_OPTIONS: Readonly<Record<keyof FleetOptions, 1>> = {
  lock: 1,
  migrate: 1,
  retention: 1,
  heartbeat: 1,
  lease: 1,
  poll: 1,
  maxRestarts: 1,
}

/** Where another plugin finds the dead, the heartbeat only keeps no run open for ever. */
const LEASE_WITHOUT_LOCK_MS = 300_000

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseFleetOptions(options: FleetOptions): FleetSettings {
  const retention = parseRetention(options.retention, { claims: 1 })
  const lock = flag('lock', options.lock ?? true)
  const heartbeat = parseDuration(options.heartbeat ?? '5s', 'heartbeat', { min: 50, max: 3_600_000 })
  const lease = parseDuration(options.lease ?? '20s', 'lease', { min: 200, max: 86_400_000 })
  if (lease < 2 * heartbeat)
    fail('lease', `at least twice the heartbeat (${2 * heartbeat} ms)`, options.lease)
  return {
    lock,
    migrate: flag('migrate', options.migrate ?? true),
    ...retention,
    claims: parseDuration(options.retention?.claims ?? '48h', 'retention.claims', { min: 1000 }),
    heartbeat,
    lease: lock ? lease : Math.max(lease, LEASE_WITHOUT_LOCK_MS),
    poll: parseDuration(options.poll ?? '400ms', 'poll', { min: 50, max: 86_400_000 }),
    maxRestarts: integer('maxRestarts', options.maxRestarts ?? 2, 0, 1000),
  }
}
