import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { redisVersion } from './redis.ts'
import { resultsOf } from './results.ts'
import { play, type Result } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

const args = process.argv.slice(2)
const option = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
const seed = Number(option('seed') ?? Date.now() % 1e6)
const only = option('only')
const sample = args.includes('--sample')

const redis = redisVersion()
if (!redis) {
  console.error(
    'chaos needs redis-server: install it (Debian: apt-get install redis-server) or set REDIS_SERVER',
  )
  process.exit(2)
}

const chosen = scenarios.filter(({ name, sample: sampled }) =>
  only ? only.split(',').some((part) => name.includes(part)) : !sample || sampled,
)
console.log(
  `seed ${seed} · redis ${redis} · node ${process.version} · ${cpus().length} × ${cpus()[0]?.model}`,
)
const results: Result[] = []
for (const scenario of chosen) {
  try {
    const result = await play(scenario, seed)
    results.push(result)
    const { report, failures } = result
    const mark = failures.length > 0 ? `FAILED: ${failures.join(', ')}` : 'ok'
    const shown = (scenario.shows ?? []).map((count) => `, ${report[count]} ${count}`)
    const named = Object.entries(report.named).map(([reason, n]) => `${n} ${reason}`)
    console.log(
      `${scenario.name}: ${mark} · ${report.ran}/${report.ticks} ran${named.length ? `, ${named.join(', ')}` : ''}${shown.join('')}` +
        ` · late ${report.late.p50}/${report.late.p99}/${report.late.max} ms` +
        ` (machine ${report.machine.p50}/${report.machine.p99}${report.machine.busy ? ', busy' : ''})` +
        (scenario.measures ? ` · ${Math.round(result.cpu)} µs of Redis a tick` : '') +
        (report.recovery.length ? ` · recovered after ${report.recovery.join(', ')} ms` : ''),
    )
    if (failures.length > 0 || args.includes('--verbose'))
      for (const detail of report.details) console.log(`    ${detail}`)
  } catch (error) {
    console.log(`${scenario.name}: FAILED to play: ${(error as Error).stack}`)
    process.exitCode = 1
  }
}
const failed = chosen.length - results.filter(({ failures }) => failures.length === 0).length
if (!only && !sample) {
  const file = fileURLToPath(new URL('../RESULTS.md', import.meta.url))
  writeFileSync(file, resultsOf(results, { seed, redis }))
}
console.log(`${chosen.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
