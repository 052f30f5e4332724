import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { redisVersion } from './redis.ts'
import { lineOf, resultsOf } from './results.ts'
import { play, type Result, type Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

const HELP = `npm run chaos -- [options]
  --sample       a choice of scenarios that takes less than three minutes
  --only=a,b     scenarios whose names contain a or b
  --seed=N       for the random ones; printed by each run
  --parallel=N   this number at a time (2, with --sample 4); those that judge start times are played alone
  --verbose      details of what passed, too
Without --sample and --only, all run, and RESULTS.md is written anew.`

const args = process.argv.slice(2)
const option = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
const seed = Number(option('seed') ?? Date.now() % 1e6)
const only = option('only')?.split(',')
const sample = args.includes('--sample')
const parallel = Number(option('parallel') ?? (sample ? 4 : 2))
const verbose = args.includes('--verbose')

if (args.includes('--help')) {
  console.log(HELP)
  process.exit(0)
}
const redis = redisVersion()
if (!redis) {
  const how = 'install it (Debian: apt-get install redis-server) or set REDIS_SERVER'
  console.error(`chaos needs redis-server: ${how}`)
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const fits = ({ name, sample: chosen }: Scenario) =>
  only ? only.some((part) => name.includes(part)) : !sample || chosen
const chosen = scenarios.filter(fits)
console.log(
  `seed ${seed} · redis ${redis} · node ${process.version} · ${cpus().length} × ${cpus()[0]?.model}`,
)

const results = new Map<Scenario, Result>()
async function playAll(waiting: Scenario[], crowded: boolean): Promise<void> {
  for (let scenario = waiting.shift(); scenario; scenario = waiting.shift()) {
    try {
      const result = await play(scenario, seed, crowded)
      results.set(scenario, result)
      console.log(lineOf(result))
      if (result.failures.length > 0 || verbose) {
        for (const detail of result.report.details) console.log(`    ${detail}`)
      }
    } catch (error) {
      console.log(`${scenario.name}: FAILED to play: ${(error as Error).stack}`)
    }
  }
}
const isAlone = ({ alone, sample: chosen }: Scenario) => alone && !(sample && chosen)
await playAll(chosen.filter(isAlone), false)
const others = chosen.filter((scenario) => !isAlone(scenario))
await Promise.all(Array.from({ length: parallel }, () => playAll(others, parallel > 1)))

const ordered = chosen.flatMap((scenario) => results.get(scenario) ?? [])
const passed = ordered.filter(({ failures }) => failures.length === 0).length
if (!only && !sample) {
  const file = fileURLToPath(new URL('../RESULTS.md', import.meta.url))
  writeFileSync(file, resultsOf(ordered, { seed, redis }))
}
console.log(`${passed} passed, ${chosen.length - passed} failed`)
process.exitCode = passed < chosen.length ? 1 : 0
