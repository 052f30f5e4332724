import type { Scenario } from '../scenario.ts'
import type { JobConfig } from '../worker-config.ts'
import { sleep } from '../world.ts'
import { BOUND, busyWorker, long, recoveredWithin } from './deaths.ts'

const jobs: JobConfig[] = [
  { name: 'long', seconds: 5, ms: 4000 },
  { name: 'quick-1', seconds: 1, ms: 0 },
  { name: 'quick-2', seconds: 1, ms: 0 },
]

const restarts = [true, false].map(
  (guard): Scenario => ({
    name: `empty-restarts-guard-${guard ? 'on' : 'off'}`,
    about: `the only Redis is killed five times and comes back empty at once; guard ${guard}`,
    sample: guard,
    world: { workers: 5, lock: { guard }, jobs },
    async faults(world) {
      for (let i = 0; i < 5; i++) {
        await sleep(world.random.between(1500, 3500))
        world.note('restart empty')
        await world.nodes[0]?.restartEmpty()
      }
      await sleep(9000)
    },
    ...(guard ? {} : { shows: ['duplicates', 'overlaps', 'silent'] }),
  }),
)

const forgetting = [true, false].map(
  (guard): Scenario => ({
    name: `two-forget-guard-${guard ? 'on' : 'off'}`,
    about: `two of three Redis come back empty while a job works; guard ${guard}`,
    world: { nodes: 3, workers: 4, lock: { guard }, jobs },
    async faults(world) {
      for (let i = 0; i < 2; i++) {
        await busyWorker(world)
        world.note('two forget')
        await Promise.all(world.nodes.slice(i, i + 2).map((node) => node.restartEmpty()))
        await sleep(6000)
      }
      await sleep(3000)
    },
    ...(guard ? {} : { shows: ['duplicates', 'overlaps', 'silent'] }),
  }),
)

const flush: Scenario = {
  name: 'flushall',
  about: 'the only Redis is flushed while a job works',
  world: { workers: 4, jobs },
  async faults(world) {
    for (let i = 0; i < 2; i++) {
      await busyWorker(world)
      world.note('flush')
      await world.nodes[0]?.command('FLUSHALL')
      await sleep(6000)
    }
    await sleep(3000)
  },
}

const amnesia = (
  [
    [1, 'rerun'],
    [1, 'record'],
    [3, 'record'],
  ] as const
).map(
  ([nodes, policy]): Scenario => ({
    name: `killed-and-forgotten-${nodes}-${policy}`,
    about: `an instance is killed while its job works, and ${nodes === 1 ? 'the only Redis comes' : 'two of three Redis come'} back empty before that is known; onAbandoned: '${policy}'`,
    sample: nodes === 1 && policy === 'record',
    world: { nodes, workers: 3, jobs: long(policy) },
    async faults(world) {
      for (let i = 0; i < 2; i++) {
        const name = await busyWorker(world)
        await sleep(400)
        world.kill(name)
        world.note('restart empty')
        await Promise.all(world.nodes.slice(0, Math.ceil(nodes / 2)).map((node) => node.restartEmpty()))
        await world.join()
        await sleep(6000)
      }
      await sleep(3000)
    },
    // Redis tells its age in whole seconds.
    also: recoveredWithin(BOUND + 1000),
  }),
)

const outages = (
  [
    [3, 1],
    [3, 2],
    [5, 2],
  ] as const
).map(
  ([nodes, down]): Scenario => ({
    name: `down-${down}-of-${nodes}`,
    about: `${down} of ${nodes} Redis are killed, and come back empty after 7 s`,
    sample: nodes === 3 && down === 1,
    world: { nodes, workers: 4, jobs },
    async faults(world) {
      await sleep(2500)
      const victims = world.nodes.slice(0, down)
      for (const node of victims) await node.kill()
      await sleep(7000)
      for (const node of victims) await node.up()
      await sleep(7000)
    },
  }),
)

const hangs = [1, 3].map(
  (nodes): Scenario => ({
    name: `hung-1-of-${nodes}`,
    about: `one of ${nodes} Redis hangs for 4 s, three times, and then executes what it was sent`,
    sample: nodes === 3,
    world: { nodes, workers: 4, jobs },
    async faults(world) {
      for (let i = 0; i < 3; i++) {
        await sleep(2300)
        world.nodes[0]?.hang()
        await sleep(4000)
        world.nodes[0]?.resume()
      }
      await sleep(6000)
    },
  }),
)

const down = (['skip', 'run'] as const).map(
  (onLockUnavailable): Scenario => ({
    name: `redis-down-${onLockUnavailable}`,
    about: `the only Redis is down for 8 s; onLockUnavailable: '${onLockUnavailable}'`,
    sample: onLockUnavailable === 'skip',
    world: { workers: 3, lock: { onLockUnavailable } },
    async faults(world) {
      await sleep(2500)
      await world.nodes[0]?.kill()
      await sleep(8000)
      await world.nodes[0]?.up()
      await sleep(7000)
    },
    ...(onLockUnavailable === 'skip' ? {} : { shows: ['duplicates', 'overlaps', 'regressions'] }),
  }),
)

const outage: Scenario = {
  name: 'long-outage',
  about: 'Redis is down for 40 s with 200 jobs at 1 Hz on each instance: memory must stay flat',
  world: {
    workers: 2,
    jobs: Array.from({ length: 200 }, (_, i) => ({ name: `job-${i}`, seconds: 1, ms: 0 })),
  },
  async faults(world) {
    await sleep(8000)
    await world.nodes[0]?.kill()
    await sleep(40_000)
    await world.nodes[0]?.up()
    await sleep(8000)
  },
  also(report) {
    return report.growth > 60 ? [`memory grew by ${report.growth} MB`] : []
  },
}

const herd: Scenario = {
  name: 'herd-10',
  about: 'ten instances, 300 jobs at 1 Hz: what a tick costs Redis',
  world: {
    workers: 10,
    lock: { scan: 5000, lease: 15_000, guard: false },
    jobs: Array.from({ length: 300 }, (_, i) => ({ name: `job-${i}`, seconds: 1, ms: 0 })),
  },
  alone: true,
  measures: true,
  faults: () => sleep(20_000),
}

const herdNaive: Scenario = {
  ...herd,
  name: 'herd-10-lock-only',
  about: 'the same with one SET and one DEL a tick, all instances at once: for comparison',
  world: { ...herd.world, design: 'lock-only' },
  shows: ['duplicates', 'overlaps', 'silent', 'regressions'],
}

export const servers: readonly Scenario[] = [
  ...restarts,
  ...forgetting,
  flush,
  ...amnesia,
  ...outages,
  ...hangs,
  ...down,
  outage,
  herd,
  herdNaive,
]
