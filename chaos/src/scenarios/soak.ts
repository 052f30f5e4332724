import type { Scenario } from '../scenario.ts'
import type { JobConfig } from '../worker-config.ts'
import { sleep, type World } from '../world.ts'

const jobs: JobConfig[] = [
  { name: 'long', seconds: 5, ms: 2500, options: { onAbandoned: 'rerun' } },
  { name: 'quick-1', seconds: 1, ms: 0, options: { onAbandoned: 'rerun' } },
  { name: 'quick-2', seconds: 1, ms: 0, options: { onAbandoned: 'rerun' } },
]

/** Something bad, for some time. */
async function harm(world: World): Promise<void> {
  const { random } = world
  const alive = world.workers.filter((worker) => worker.alive && !worker.expected)
  const { name } = random.pick(alive)
  const node = random.pick(world.nodes)
  const time = random.between(500, 4500)
  switch (random.between(0, 7)) {
    case 0:
      world.kill(name)
      await world.join(random.between(-2000, 2000))
      break
    case 1:
      world.stall(name)
      await sleep(time)
      world.resume(name)
      break
    case 2:
      world.tell(name, { do: 'block', ms: time })
      break
    case 3:
      world.tell(name, { do: 'step', by: random.between(-5000, 5000) })
      break
    case 4:
      world.note('restart empty')
      await node.restartEmpty()
      break
    case 5:
      world.note('hang redis')
      node.hang()
      await sleep(time)
      node.resume()
      break
    case 6:
      for (const link of world.links(name)) link.hang()
      await sleep(time)
      for (const link of world.links(name)) link.heal()
      break
    default:
      for (const link of world.links(name)) link.delay = random.between(0, 400)
      await sleep(time)
      for (const link of world.links(name)) link.delay = 0
  }
}

export const soak: readonly Scenario[] = [1, 3].map(
  (nodes): Scenario => ({
    name: `soak-${nodes}`,
    about: `a minute of random faults of all kinds, ${nodes} Redis; the seed says which`,
    world: { nodes, workers: 4, jobs, proxied: true },
    async faults(world) {
      const end = Date.now() + 60_000
      while (Date.now() < end) {
        await harm(world)
        await sleep(world.random.between(200, 2500))
      }
      await sleep(9000)
    },
  }),
)
