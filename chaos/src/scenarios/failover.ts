import type { Report } from '../check.ts'
import { Link } from '../link.ts'
import { freePort, Server } from '../redis.ts'
import type { Scenario } from '../scenario.ts'
import type { Line } from '../worker-config.ts'
import { sleep, type World } from '../world.ts'
import { falseWords } from './memory.ts'

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

const inRun: Scenario = {
  name: 'lagging-promotion-in-a-run',
  about: 'a replica that has not heard of a run is promoted, while the instance at work is cut off',
  // Not in the sample: once in some ten times a run that has ended is reported as lost, and the cause is not known yet.
  sample: false,
  world: {
    workers: 1,
    jobs: [{ name: 'long', seconds: 1, ms: 4500, options: { onAbandoned: 'record' } }],
  },
  async prepare(world) {
    fronts.set(world, await lagging(world, 2000))
  },
  async faults(world) {
    const { front, master, replica } = fronts.get(world) as Awaited<ReturnType<typeof lagging>>
    const other = world.keep(await Link.start(master.port))
    world.clients = [{ url: `redis://127.0.0.1:${other.port}` }]
    await world.join()
    const begun = Date.now()
    const start = await world.until(12_000, ({ e, t }) => e === 'start' && t > begun)
    if (!start) throw new Error('the long job did not run')
    const [cut, open] = start.w === 'w1' ? [front, other] : [other, front]
    world.note('failover')
    cut.hang()
    await master.kill()
    await replica.command('REPLICAOF NO ONE')
    open.retarget(replica.port)
    await sleep(8000)
    cut.retarget(replica.port)
    cut.heal()
    await sleep(4000)
  },
  also: (...all) => [...ranAfterFailover(...all), ...falseWords(all[0], all[1])],
}

/** Two sides of a cut: w1 stays with the old master, w2 goes to the replica that is promoted. */
const split = ([2, 0] as const).map(
  (lag): Scenario => ({
    name: `split-brain-${lag ? 'refused' : 'open'}`,
    about: lag
      ? `a master is cut off, its replica promoted after 5 s: min-replicas-to-write 1, min-replicas-max-lag ${lag}`
      : 'a master is cut off, its replica promoted after 5 s: without min-replicas-to-write',
    sample: lag > 0,
    world: { workers: 1 },
    async prepare(world) {
      const settings = lag ? ['--min-replicas-to-write', '1', '--min-replicas-max-lag', String(lag)] : []
      splits.set(world, await divided(world, settings))
    },
    async faults(world) {
      const { link, front, master, replica } = splits.get(world) as Awaited<ReturnType<typeof divided>>
      world.clients = [{ url: `redis://127.0.0.1:${front.port}` }]
      await world.join()
      await sleep(3000)
      world.note('failover')
      link.hang()
      front.cut()
      await sleep(5000)
      await replica.command('REPLICAOF NO ONE')
      front.retarget(replica.port)
      front.heal()
      await sleep(9000)
      // Its side of the cut is over: what it claims now, nobody shares.
      await master.kill()
    },
    also: ranAfterFailover,
    ...(lag ? {} : { shows: ['duplicates', 'overlaps', 'silent', 'regressions'] }),
  }),
)

const splits = new WeakMap<World, Awaited<ReturnType<typeof divided>>>()

/** A master whose replica is behind a link, and a front for those on the side of the replica. */
async function divided(world: World, settings: string[]) {
  const master = await Server.start(settings)
  const link = world.keep(await Link.start(master.port))
  const replica = await Server.start(['--replicaof', '127.0.0.1', String(link.port)])
  world.nodes.push(master, replica)
  for (let i = 0; i < 200 && !(await master.command('INFO replication')).includes('state=online'); i++)
    await sleep(50)
  const front = world.keep(await Link.start(master.port))
  world.clients = [{ url: master.url }]
  await sleep(4200)
  return { master, replica, link, front }
}

function ranAfterFailover(_: Report, lines: Line[], world: World): string[] {
  const killed = world.deeds.find(({ what }) => what === 'failover')?.t ?? 0
  const first = lines.find(({ e, t }) => e === 'start' && t > killed + 500)
  return first ? [] : ['nothing ran after the failover']
}

export const failover: readonly Scenario[] = [...asynchronous, sentinel, kept, inRun, ...split]
