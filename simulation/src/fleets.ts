import type { FleetOptions, SimulatedJob } from './instance.ts'
import { draw, type Plan, type Shape } from './plan.ts'
import { Random } from './random.ts'
import { ofOneRedis, ofRedis } from './redis/kinds.ts'
import { redisServers } from './redis/servers.ts'
import type { Share } from './shared.ts'
import { postgresDatabase } from './sql/database.ts'
import { sqliteFile } from './sql/file.ts'
import { HEARTBEAT, LEASE } from './sql/fleet.ts'
import { ofDatabase, ofFile } from './sql/kinds.ts'

/** A fleet that is simulated: its shape, what its instances share, its jobs. */
export interface Fleet {
  readonly name: string
  readonly shape: Shape
  readonly share: Share
  readonly clock: FleetOptions['clock']
  /** A run of several fleets plays one seed of this one where it plays so many of the others. */
  readonly cost?: number
}

const REDIS = redisServers({ lease: '3s', scan: '1s', retention: '2m', maxLate: '5s' })

const SHAPE = { servers: 1, instances: 5, trouble: 40_000, tail: 25_000 }

export const FLEETS: readonly Fleet[] = [
  { name: 'one Redis', shape: { ...SHAPE, kinds: ofOneRedis }, share: REDIS, clock: 'servers' },
  { name: 'three masters', shape: { ...SHAPE, servers: 3, kinds: ofRedis }, share: REDIS, clock: 'servers' },
  {
    name: 'sqlite',
    shape: { ...SHAPE, kinds: ofFile, oneClock: true },
    share: sqliteFile({ heartbeat: HEARTBEAT, lease: LEASE }),
    clock: 'own',
  },
  {
    name: 'postgres',
    shape: { ...SHAPE, kinds: ofDatabase },
    share: postgresDatabase({ heartbeat: HEARTBEAT, lease: LEASE }),
    clock: 'own',
    cost: 15,
  },
]

/** The plan and the options that a seed means for a fleet. */
export function deal(fleet: Fleet, seed: number): { plan: Plan; options: FleetOptions } {
  return {
    plan: draw(seed, fleet.shape),
    options: { jobs: jobsOf(seed), share: fleet.share, clock: fleet.clock },
  }
}

/** Short jobs, one that takes most of its period, and one that takes longer. */
function jobsOf(seed: number): SimulatedJob[] {
  const random = new Random(`jobs ${seed}`)
  return Array.from({ length: 10 }, (_, i) => ({
    name: `job-${i}`,
    seconds: i < 8 ? 1 : 5,
    takes: [700, 2500, 120, 1, 1, 1, 1, 6000, 4000, 300][i] as number,
    overlap: random.pick(['skip', 'skip', 'queue', 'allow'] as const),
    onAbandoned: random.pick(['record', 'rerun'] as const),
    heeds: random.pick(['assertHeld', 'signal'] as const),
  }))
}
