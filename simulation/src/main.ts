/** npm run simulate -- [--seeds N] [--seed N] [--from N] [--fleet NAME] [--trace] [--mutations] [--sample SECONDS] */
import { parseArgs } from 'node:util'
import { check } from './check.ts'
import { deal, FLEETS, type Fleet } from './fleets.ts'
import { type Code, load } from './load.ts'
import { MUTATIONS } from './mutations.ts'
import { NOTICED, noticedBy } from './noticed.ts'
import type { Violation } from './promises.ts'
import { Random } from './random.ts'
import { shrink } from './shrink.ts'
import { type Played, simulate } from './simulate.ts'
import { SQL_MUTATIONS } from './sql/mutations.ts'
import { story } from './story.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    fleet: { type: 'string' },
    trace: { type: 'boolean', default: false },
    mutations: { type: 'boolean', default: false },
    sample: { type: 'string' },
  },
})

const code = await load()
const fleets = FLEETS.filter(({ name }) => values.fleet === undefined || name.includes(values.fleet))
if (values.sample) process.exit(await sample(Number(values.sample)))
if (values.mutations) process.exit(await survive())
let broken = 0
for (const fleet of fleets) broken += values.seed ? await one(fleet, Number(values.seed)) : await many(fleet)
process.exit(broken > 0 ? 1 : 0)

/** Leaves out one rule after the other. Returns how many went unnoticed. */
async function survive(): Promise<number> {
  const most = Number(values.seeds)
  let unnoticed = 0
  for (const mutation of [...MUTATIONS, ...SQL_MUTATIONS]) {
    const under = fleets.filter(({ name, clock }) =>
      mutation.fleet ? name === mutation.fleet : clock === 'servers',
    )
    if (under.length === 0) continue
    const seen = await noticed(await load([mutation]), under, most)
    if (!seen) unnoticed++
    console.log(`${mutation.name}: ${seen ?? `NOT NOTICED in ${most} seeds`}`)
  }
  return unnoticed
}

/**
 * Leaves out rules in an order that is drawn, for so many seconds, and plays the seed that has noticed each. Returns how
 * many are noticed no more.
 */
async function sample(seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000
  const seed = Date.now()
  const random = new Random(seed)
  const drawn = [...MUTATIONS, ...SQL_MUTATIONS]
    .filter(({ name }) => name in NOTICED)
    .map((mutation) => ({ mutation, order: random.next() }))
    .sort((a, b) => a.order - b.order)
  let [played, unnoticed] = [0, 0]
  for (const { mutation } of drawn) {
    if (performance.now() > end) break
    played++
    const [fleet, written] = NOTICED[mutation.name] as (typeof NOTICED)[string]
    const seed = await noticedBy(mutation)
    if (seed === written) continue
    const hint = 'write that one into simulation/src/noticed.ts'
    if (seed !== undefined) console.log(`${mutation.name}: seed ${seed} of ${fleet} notices it now: ${hint}`)
    else {
      unnoticed++
      console.log(
        `${mutation.name}: no seed of ${fleet} notices it any more. If a later one does (npm run simulate -- --mutations), ${hint}`,
      )
    }
  }
  console.log(`${played} of ${drawn.length} rules left out, ${unnoticed} unnoticed`)
  return unnoticed
}

async function noticed(mutant: Code, fleets: readonly Fleet[], most: number): Promise<string | undefined> {
  for (let seed = Number(values.from); seed < Number(values.from) + most; seed++) {
    for (const fleet of fleets) {
      const { plan, options } = deal(fleet, seed)
      const [violation] = check(await simulate(mutant, plan, options))
      // A seed that breaks a promise without the mutation says nothing about it.
      if (violation && check(await simulate(code, plan, options)).length === 0) {
        return `seed ${seed} of ${fleet.name} breaks '${violation.promise}'`
      }
    }
  }
}

async function one(fleet: Fleet, seed: number): Promise<number> {
  const { plan, options } = deal(fleet, seed)
  const played = await simulate(code, plan, options)
  const violations = check(played)
  if (values.trace) console.log(story(played))
  const [first] = violations
  if (first) await explain(code, fleet, played, first)
  else console.log(`${fleet.name}, seed ${seed}: no promise is broken`)
  return violations.length
}

async function many(fleet: Fleet): Promise<number> {
  const from = Number(values.from)
  const cost = values.fleet === undefined ? (fleet.cost ?? 1) : 1
  const to = from + Math.ceil(Number(values.seeds) / cost)
  const began = process.cpuUsage()
  let ticks = 0
  let faults = 0
  let worst = { ms: 0, seed: 0 }
  const broken: { seed: number; violation: Violation; played: Played }[] = []
  for (let seed = from; seed < to; seed++) {
    const { plan, options } = deal(fleet, seed)
    const before = process.cpuUsage()
    const played = await simulate(code, plan, options)
    const { user } = process.cpuUsage(before)
    if (user / 1000 > worst.ms) worst = { ms: user / 1000, seed }
    ticks += options.jobs.reduce((sum, job) => sum + plan.end / 1000 / job.seconds, 0)
    faults += plan.faults.length
    const [violation] = check(played)
    if (violation) {
      console.log(`  seed ${seed} breaks '${violation.promise}': ${violation.text}`)
      broken.push({ seed, violation, played })
    }
  }
  const { user, system } = process.cpuUsage(began)
  const minutes = (user + system) / 60e6
  console.log(
    `${fleet.name}: ${to - from} seeds, ${Math.round(ticks)} ticks, ${faults} faults, ${broken.length} seeds broke a promise; ` +
      `${Math.round(ticks / minutes)} ticks a minute of CPU; the slowest seed is ${worst.seed} (${Math.round(worst.ms)} ms)`,
  )
  // One story for each promise that was broken.
  for (const promise of new Set(broken.map(({ violation }) => violation.promise))) {
    const all = broken.filter(({ violation }) => violation.promise === promise)
    console.log(`\n'${promise}': ${all.length} seeds`)
    const [first] = all
    if (first) await explain(code, fleet, first.played, first.violation)
  }
  return broken.length
}

async function explain(
  code: Code,
  fleet: Fleet,
  { plan, options }: Played,
  violation: Violation,
): Promise<void> {
  const { plan: shortest, played, tries } = await shrink(code, plan, options, violation)
  const again = check(played).find(({ promise }) => promise === violation.promise)
  console.log(
    `\n${fleet.name}: reduced from ${plan.faults.length} to ${shortest.faults.length} faults in ${tries} tries\n${story(played, again)}\n`,
  )
}
