import type { Scenario } from '../scenario.ts'
import type { JobConfig } from '../worker-config.ts'
import { sleep } from '../world.ts'
import { busyWorker, recovered } from './deaths.ts'

const jobs: JobConfig[] = [
  { name: 'long', seconds: 5, ms: 3500, options: { onAbandoned: 'rerun' } },
  { name: 'quick', seconds: 1, ms: 0, options: { onAbandoned: 'rerun' } },
]

const cuts = [1, 3].flatMap((nodes) =>
  (['cut', 'hang'] as const).map(
    (how): Scenario => ({
      name: `partition-${how}-${nodes}`,
      about: `the instance at work loses ${nodes === 1 ? 'Redis' : 'all three Redis'}: ${how === 'cut' ? 'connections are reset' : 'packets are dropped'}`,
      sample: nodes === 1 && how === 'hang',
      world: { nodes, workers: 3, jobs, proxied: true },
      async faults(world) {
        const name = await busyWorker(world)
        world.deeds.push({ t: Date.now(), what: 'cut', worker: name })
        for (const link of world.links(name)) link[how]()
        await sleep(7000)
        for (const link of world.links(name)) link.heal()
        await sleep(6000)
      },
      also(report, lines, world) {
        const cut = world.deeds.find(({ what }) => what === 'cut')
        const abort = lines.find(({ e, w, t }) => e === 'abort' && w === cut?.worker && t > (cut?.t ?? 0))
        if (!abort) return ['the run was not aborted', ...recovered(report)]
        const next = lines.find(
          ({ e, job, start, t }) => e === 'start' && job === 'long' && (start ?? 1) > 1 && t > (cut?.t ?? 0),
        )
        const early = next && next.t < abort.t ? ['the run was aborted after another had begun'] : []
        return [...early, ...recovered(report)]
      },
    }),
  ),
)

export const network: readonly Scenario[] = [
  ...cuts,
  {
    name: 'late-grants',
    about: 'three Redis whose answers come late, another one each moment',
    world: { nodes: 3, workers: 4, proxied: true },
    async faults(world) {
      for (let i = 0; i < 14; i++) {
        for (const { name } of world.workers) {
          for (const link of world.links(name)) link.delay = world.random.pick([0, 0, 120, 300, 600])
        }
        await sleep(1000)
      }
      for (const { name } of world.workers) for (const link of world.links(name)) link.delay = 0
      await sleep(2500)
    },
  },
  {
    name: 'split-votes',
    about:
      'five Redis; each instance is near to some and far from others, and nobody knows the others at first',
    world: { nodes: 5, workers: 5, proxied: true },
    async faults(world) {
      for (const { name } of world.workers) {
        for (const link of world.links(name)) link.delay = world.random.between(0, 60)
      }
      await sleep(14_000)
    },
  },
]
