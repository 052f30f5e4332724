import type { Report } from '../check.ts'
import type { Scenario } from '../scenario.ts'
import type { JobConfig } from '../worker-config.ts'
import { sleep, type World } from '../world.ts'

const LEASE = 3000
const SCAN = 1000
/** An abandoned run is taken up within lease + 1.25 × scan + a claim. */
export const BOUND: number = LEASE + 1.25 * SCAN + 500

export const recoveredWithin =
  (bound: number) =>
  ({ recovery }: Report): string[] => [
    ...(recovery.length === 0 ? ['nothing was recovered'] : []),
    ...recovery.filter((ms) => ms > bound).map((ms) => `recovery took ${ms} ms, more than ${bound}`),
  ]

export const recovered: (report: Report) => string[] = recoveredWithin(BOUND)

export const long = (onAbandoned: 'rerun' | 'record', ms = 2500): JobConfig[] => [
  { name: 'long', seconds: 5, ms, options: { onAbandoned } },
  { name: 'quick', seconds: 1, ms: 0, options: { onAbandoned } },
]

/** Waits until the long job is at work, and says where. */
export async function busyWorker(world: World, after: number = Date.now()): Promise<string> {
  const line = await world.until(12_000, ({ e, job, t }) => e === 'write' && job === 'long' && t > after)
  if (!line) throw new Error('the long job did not run')
  return line.w
}

const kills = (['rerun', 'record'] as const).map(
  (policy): Scenario => ({
    name: `sigkill-during-${policy}`,
    about: `an instance is killed while its job works; onAbandoned: '${policy}'`,
    sample: policy === 'rerun',
    world: { workers: 3, jobs: long(policy) },
    async faults(world) {
      world.kill(await busyWorker(world))
      await sleep(8000)
    },
    also: recovered,
  }),
)

const timings = (['before', 'after'] as const).flatMap((when) =>
  (['rerun', 'record'] as const).map(
    (policy): Scenario => ({
      name: `sigkill-${when}-${policy}`,
      about: `an instance dies ${when === 'before' ? 'with the claim, before the work' : 'after the work, before its end is written'}; onAbandoned: '${policy}'`,
      world: {
        workers: 3,
        jobs: [1, 2].map((n) => ({
          name: `mortal-${n}`,
          seconds: n,
          ms: 0,
          options: { onAbandoned: policy },
          dies: when,
        })),
      },
      faults: () => sleep(16_000),
      // After the work, another run of a tick means that its end was not written: all are.
      ...(when === 'before' && { also: recovered }),
    }),
  ),
)

const stalls = (['rerun', 'record'] as const).map(
  (policy): Scenario => ({
    name: `sigstop-${policy}`,
    about: `an instance is stopped for 7 s while its job works, then goes on; onAbandoned: '${policy}'`,
    sample: policy === 'rerun',
    world: { workers: 3, jobs: long(policy, 3500) },
    async faults(world) {
      const name = await busyWorker(world)
      world.stall(name)
      await sleep(7000)
      world.resume(name)
      await sleep(7000)
    },
    also: recovered,
  }),
)

const poison: Scenario = {
  name: 'poison-beside-others',
  about: 'an instance is killed in five runs, and one of them, run again, kills the next instance too',
  sample: true,
  world: {
    workers: 1,
    jobs: [
      { name: 'poison', seconds: 5, ms: 3000, options: { onAbandoned: 'rerun' }, dies: 'again' },
      ...[1, 2, 3, 4].map((n) => ({
        name: `other-${n}`,
        seconds: 5,
        ms: 3000,
        options: { onAbandoned: 'record' as const },
      })),
    ],
  },
  async faults(world) {
    const begun = await world.until(8000, ({ e, job }) => e === 'write' && job === 'poison')
    if (!begun) throw new Error('the poison did not run')
    const second = await world.join()
    world.kill('w1')
    await world.until(8000, ({ e, w, start }) => e === 'start' && w === second.name && start === 2)
    await world.join()
    await sleep(6000)
  },
  also(_, lines, world) {
    const killed = world.deeds.find(({ what }) => what === 'kill')?.t ?? 0
    const open = lines.filter(({ e, w, t }) => e === 'start' && w === 'w1' && t > killed - 3000)
    const again = lines.filter(({ e, start }) => e === 'start' && start !== 1)
    return [
      ...(again.length < 2 ? ['the poison was not run again after it had killed'] : []),
      ...open.flatMap(({ job, tick }) =>
        job === 'poison' || lines.some(({ name, tick: of }) => name === 'tick-lost' && of === tick)
          ? []
          : [`nobody said that ${tick} was lost`],
      ),
    ]
  },
}

export const deaths: readonly Scenario[] = [
  poison,
  ...kills,
  ...timings,
  ...stalls,
  {
    name: 'blocked-loop',
    about: 'the event loop of an instance is blocked for 5 s while its job works',
    world: { workers: 3, jobs: long('rerun', 3500) },
    async faults(world) {
      world.tell(await busyWorker(world), { do: 'block', ms: 5000 })
      await sleep(13_000)
    },
  },
  {
    name: 'all-killed',
    about: 'all instances are killed, new ones come',
    world: { workers: 3, jobs: long('rerun') },
    async faults(world) {
      await busyWorker(world)
      for (const { name } of [...world.workers]) world.kill(name)
      await world.join()
      await world.join()
      await sleep(9000)
    },
    also: recovered,
  },
  {
    name: 'rolling-restart',
    about: 'instances leave and others join, one after the other',
    world: { workers: 3 },
    async faults(world) {
      for (const name of ['w1', 'w2', 'w3']) {
        await world.join()
        world.worker(name).expected = true
        world.tell(name, { do: 'stop' })
        await sleep(3000)
      }
      await sleep(2000)
    },
  },
]
