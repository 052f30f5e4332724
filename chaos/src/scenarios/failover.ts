import type { Report } from '../check.ts'
import { Link } from '../link.ts'
import { freePort, Server } from '../redis.ts'
import type { Scenario } from '../scenario.ts'
import type { Line } from '../worker-config.ts'
import { sleep, type World } from '../world.ts'

/** A master, a replica that lags behind, and one address for whichever is in charge. */
async function lagging(world: World, lag: number): Promise<{ front: Link; master: Server; replica: Server }> {
  const master = await Server.start()
  world.nodes.push(master)
  const link = world.keep(await Link.start(master.port))
  const replica = await Server.start(['--replicaof', '127.0.0.1', String(link.port)])
  world.nodes.push(replica)
  for (let i = 0; i < 200 && !(await replica.command('INFO replication')).includes('link_status:up'); i++)
    await sleep(50)
  link.delay = lag
  const front = world.keep(await Link.start(master.port))
  world.clients = [{ url: `redis://127.0.0.1:${front.port}` }]
  await sleep(4200)
  return { front, master, replica }
}

const fronts = new WeakMap<World, Awaited<ReturnType<typeof lagging>>>()

const asynchronous = (
  [
    ['guard-on', true, 0],
    ['guard-off', false, 0],
    ['wait-1', true, 1],
  ] as const
).map(
  ([variant, guard, replicaAcks]): Scenario => ({
    name: `lagging-failover-${variant}`,
    about: `failover to a replica that is ${replicaAcks ? 100 : 400} ms behind; guard ${guard}, replicaAcks ${replicaAcks}`,
    world: { workers: 4, lock: { guard, replicaAcks } },
    async prepare(world) {
      fronts.set(world, await lagging(world, replicaAcks ? 100 : 400))
    },
    async faults(world) {
      const { front, master, replica } = fronts.get(world) as Awaited<ReturnType<typeof lagging>>
      await sleep(4000)
      // Just after the ticks of a second: their claims have not reached the replica.
      await sleep(1000 - (Date.now() % 1000) + 60)
      world.note('failover')
      await master.kill()
      await replica.command('REPLICAOF NO ONE')
      front.retarget(replica.port)
      await sleep(9000)
    },
    ...(guard ? {} : { shows: ['duplicates', 'overlaps', 'silent', 'regressions'] }),
  }),
)

const sentinel: Scenario = {
  name: 'sentinel-failover',
  about: 'three Sentinels, a master and a replica; the master is killed',
  sample: true,
  world: { workers: 3 },
  async prepare(world) {
    const master = await Server.start()
    const replica = await Server.start(['--replicaof', '127.0.0.1', String(master.port)])
    world.nodes.push(master, replica)
    const ports = await Promise.all([1, 2, 3].map(() => freePort()))
    for (const port of ports) world.keep(await Server.sentinel('fleet', master.port, port))
    world.clients = [{ sentinels: ports.map((port) => ({ host: '127.0.0.1', port })), name: 'fleet' }]
    for (let i = 0; i < 200; i++) {
      const info = await Promise.all(ports.map((port) => new Server(port, []).command('INFO sentinel')))
      if (info.every((text) => /slaves=1,sentinels=3/.test(text))) break
      await sleep(50)
    }
    await sleep(3000)
  },
  async faults(world) {
    await sleep(3000)
    world.note('failover')
    await world.nodes[0]?.kill()
    await sleep(14_000)
  },
  also: ranAfterFailover,
}

const kept: Scenario = {
  name: 'kept-connections-failover',
  about: 'a proxy keeps its connections while a replica that is 400 ms behind takes over',
  sample: true,
  world: { workers: 4 },
  async prepare(world) {
    fronts.set(world, await lagging(world, 400))
  },
  async faults(world) {
    const { front, master, replica } = fronts.get(world) as Awaited<ReturnType<typeof lagging>>
    await sleep(3000)
    // Just after the ticks of a second: their claims have not reached the replica.
    await sleep(1000 - (Date.now() % 1000) + 60)
    world.note('failover')
    await replica.command('REPLICAOF NO ONE')
    front.switchTo(replica.port)
    await master.kill()
    await sleep(8000)
  },
  also: ranAfterFailover,
}

function ranAfterFailover(_: Report, lines: Line[], world: World): string[] {
  const killed = world.deeds.find(({ what }) => what === 'failover')?.t ?? 0
  const first = lines.find(({ e, t }) => e === 'start' && t > killed + 500)
  return first ? [] : ['nothing ran after the failover']
}

export const failover: readonly Scenario[] = [...asynchronous, sentinel, kept]
