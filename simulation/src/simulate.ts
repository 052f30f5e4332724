import { simulateGlobals } from './globals.ts'
import type { Fact, History } from './history.ts'
import { type FleetOptions, Instance } from './instance.ts'
import type { Code } from './load.ts'
import { Machine } from './machine.ts'
import { Network } from './network.ts'
import type { Fault, Plan } from './plan.ts'
import type { Shared, Stored } from './shared.ts'
import { type SqlFault, tellSql } from './sql/faults.ts'
import { World } from './world.ts'

/** What became of a plan. */
export interface Played {
  readonly plan: Plan
  readonly options: FleetOptions
  readonly history: History
  readonly servers: readonly Stored[]
  readonly events: number
}

/** Plays a plan with the given code. The same plan gives the same history, to the byte. */
export async function simulate(code: Code, plan: Plan, options: FleetOptions): Promise<Played> {
  Machine.running = undefined
  Machine.outside = true
  const breaches: string[] = []
  const restore = simulateGlobals((what) => void breaches.push(what))
  const rejections: unknown[] = []
  const onRejection = (error: unknown) => void rejections.push(error)
  process.on('unhandledRejection', onRejection)
  const world = new World(plan.seed)
  const network = new Network(world)
  const history: History = []
  const fleet = new Map<string, Instance>()
  const kill = (name: string) => fleet.get(name)?.kill()
  const shared = await options.share({ code, world, network, plan, kill })
  const boot = (name: string, { skew, drift, without }: Birth) => {
    const machine = new Machine(world, name, { skew: skew + world.clock, drift })
    Machine.running = machine
    const jobs = options.jobs.filter((job) => job.name !== without)
    const instance = new Instance({ code, world, machine, shared, jobs, history })
    machine.loaded()
    fleet.set(name, instance)
    // What runs processes starts another one.
    instance.start(() => world.after(1000, () => boot(`${name}'`, { skew, drift, without })))
  }
  for (const [i, name] of plan.instances.entries())
    world.at(i * 7, () => boot(name, { skew: plan.skews[i] as number, drift: 0 }))
  for (const fault of plan.faults) {
    world.at(fault.at, () => {
      history.push({ t: world.now, who: 'world', what: 'fault', text: tell(fault) } as Fact)
      return apply(fault, { world, network, shared, plan, fleet, boot })
    })
  }
  try {
    Machine.outside = false
    await world.play(plan.end)
    Machine.outside = true
    for (const what of breaches)
      history.push({ t: world.now, who: 'world', what: 'crash', text: `${what} of the real world` })
    for (const error of rejections) {
      history.push({
        t: world.now,
        who: 'world',
        what: 'crash',
        text: `unhandled: ${String((error as Error)?.stack ?? error)}`,
      })
    }
    for (const instance of fleet.values()) instance.machine.kill()
    return { plan, options, history, servers: shared.stores, events: world.events }
  } finally {
    Machine.running = undefined
    Machine.outside = true
    await shared.close?.()
    process.off('unhandledRejection', onRejection)
    restore()
  }
}

interface Birth {
  readonly skew: number
  readonly drift: number
  readonly without?: string | undefined
}

interface Parts {
  world: World
  network: Network
  shared: Shared
  plan: Plan
  fleet: Map<string, Instance>
  boot(name: string, birth: Birth): void
}

function apply(fault: Fault, parts: Parts): void | Promise<void> {
  const { world, network, shared, fleet, boot } = parts
  const instance = 'who' in fault ? fleet.get(fault.who) : undefined
  if (fault.do === 'boot') boot(fault.who, fault)
  else if (fault.do === 'kill') instance?.kill()
  else if (fault.do === 'stop') instance?.stop()
  else if (fault.do === 'stall') instance?.machine.stall(fault.ms)
  else if (fault.do === 'sleep') instance?.machine.sleep(fault.ms)
  else if (fault.do === 'step') instance?.machine.setClock(fault.ms)
  else if (fault.do === 'set-clock') setClock(fault.by, world, fleet)
  else if (fault.do === 'pause') pause(fault, parts)
  else if (fault.do === 'slow') {
    network.slow += fault.added
    world.after(fault.ms, () => {
      network.slow -= fault.added
    })
  } else {
    if (fault.do === 'hold') instance?.machine.stall(fault.ms)
    return shared.apply(fault)
  }
}

function setClock(by: number, world: World, fleet: Map<string, Instance>): void {
  world.clock += by
  for (const { machine } of fleet.values()) machine.setClock(by)
}

/** Somebody pauses a job on an instance, and later resumes it wherever it is paused: until all that goes wrong is over. */
function pause({ job, ms }: Fault & { do: 'pause' }, { world, fleet, plan }: Parts): void {
  const there = () => [...fleet.values()].filter((instance) => instance.serves && instance.has(job))
  world.random.pick(there())?.pause(job)
  const resume = () => {
    const resumed = there().filter((instance) => instance.resume(job))
    if (resumed.length > 0 || world.now < plan.calm + 2000) world.after(500, resume)
  }
  world.after(ms, resume)
}

/** A fault in words. */
export function tell(fault: Fault): string {
  const seconds = 'ms' in fault ? `${(fault.ms / 1000).toFixed(1)} s` : ''
  const server = 'server' in fault ? `redis${fault.server + 1}` : ''
  switch (fault.do) {
    case 'boot':
      return `${fault.who} boots, its clock ${fault.skew} ms off${fault.without ? `, without ${fault.without}` : ''}`
    case 'kill':
      return `${fault.who} is killed`
    case 'stop':
      return `${fault.who} is asked to stop`
    case 'stall':
      return `${fault.who} gets no processor for ${seconds}`
    case 'sleep':
      return `the machine of ${fault.who} is suspended for ${seconds}`
    case 'step':
      return `the clock of ${fault.who} is set by ${seconds}`
    case 'cut':
      return `${fault.who} and ${server} are cut apart for ${seconds} (${fault.way})`
    case 'reset':
      return `the connection of ${fault.who} to ${server} breaks`
    case 'hang':
      return `${server} hangs for ${seconds}`
    case 'restart':
      return `${server} is down for ${seconds} and comes back with ${fault.memory === 'all' ? 'all it had' : fault.memory === 'none' ? 'nothing' : 'its last snapshot'}`
    case 'fail-over':
      return `a replica of ${server} that lags behind takes over`
    case 'switch-over':
      return `a replica of ${server} takes over behind a proxy that keeps the connections`
    case 'save':
      return `${server} saves a snapshot`
    case 'flush-scripts':
      return `${server} forgets its scripts`
    case 'skew':
      return `the clock of ${server} is set by ${seconds}`
    case 'refuse':
      return `${server} executes no script for ${seconds} (${fault.why})`
    case 'slow':
      return `the network takes ${fault.added} ms more for ${seconds}`
    case 'set-clock':
      return `the clock of the machine is set by ${(fault.by / 1000).toFixed(1)} s`
    case 'pause':
      return `somebody pauses ${fault.job} for ${seconds}`
    default:
      return tellSql(fault satisfies SqlFault)
  }
}
