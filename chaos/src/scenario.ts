import { writeFileSync } from 'node:fs'
import { check, type Report } from './check.ts'
import { Noise } from './noise.ts'
import { Random } from './random.ts'
import type { Line } from './worker-config.ts'
import { defaultJobs, World, type WorldOptions } from './world.ts'

export interface Scenario {
  readonly name: string
  readonly about: string
  /** Part of `--sample`. */
  readonly sample?: boolean
  readonly world: WorldOptions
  /** Before the workers start: other Redis topologies. */
  readonly prepare?: (world: World) => Promise<void>
  /** What is done to the fleet while it works. */
  readonly faults: (world: World) => Promise<void>
  /** What else must hold: sentences about what did not. */
  readonly also?: (report: Report, lines: Line[], world: World) => string[] | Promise<string[]>
  /** Nothing else is played at the same time. */
  readonly alone?: boolean
  /** Enough ticks to tell what one costs Redis. */
  readonly measures?: boolean
  /** Failures that this variant is here to show. */
  readonly shows?: readonly (keyof Report)[]
}

export interface Result {
  readonly scenario: Scenario
  readonly report: Report
  readonly failures: string[]
  readonly seconds: number
  /** Redis processor time per tick in µs, of all nodes. */
  readonly cpu: number
}

const COUNTS = ['duplicates', 'overlaps', 'silent', 'regressions', 'crashes'] as const

/** @param crowded Others are played at the same time: start times say nothing. */
export async function play(scenario: Scenario, seed: number, crowded: boolean): Promise<Result> {
  const began = Date.now()
  const world = new World(scenario.world, new Random(seed))
  try {
    if (scenario.prepare) await scenario.prepare(world)
    else await world.startRedis()
    await world.startWorkers()
    const from = Date.now() + 500
    const before = await cpuOf(world)
    const noise = new Noise()
    await scenario.faults(world)
    const machine = noise.stop()
    machine.busy ||= crowded
    const cpu = (await cpuOf(world)) - before
    const to = Date.now() - 1500
    await world.stopWorkers()
    const lines = world.lines()
    if (process.env.CHAOS_LINES) {
      writeFileSync(process.env.CHAOS_LINES, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    }
    const jobs = scenario.world.jobs ?? defaultJobs
    const rerun =
      jobs.some(({ options }) => options?.onAbandoned === 'rerun') ||
      scenario.world.lock?.onAbandoned === 'rerun'
    const report: Report = check(lines, world.deeds, jobs, { from, to, end: Date.now(), rerun, machine })
    for (const worker of world.workers) {
      if (worker.expected || worker.exit === undefined) continue
      if (worker.exit === 'SIGKILL' && jobs.some(({ dies }) => dies)) continue
      report.crashes++
      report.details.push(`${worker.name} ended with ${worker.exit}`)
    }
    const failures: string[] = []
    for (const count of COUNTS) {
      if (report[count] > 0 && !scenario.shows?.includes(count)) failures.push(`${report[count]} ${count}`)
    }
    if (report.ran === 0) failures.push('nothing ran')
    for (const { what, worker } of world.deeds)
      if (what === 'did not stop') failures.push(`${worker} did not stop`)
    failures.push(...((await scenario.also?.(report, lines, world)) ?? []))
    const seconds = Math.round((Date.now() - began) / 1000)
    return { scenario, report, failures, seconds, cpu: (cpu * 1000) / Math.max(1, report.ticks) }
  } finally {
    await world.destroy()
  }
}

async function cpuOf(world: World): Promise<number> {
  const spent = await Promise.all(world.nodes.map((node) => node.cpu()))
  return spent.reduce((a, b) => a + b, 0)
}
