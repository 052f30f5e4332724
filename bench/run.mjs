// npm run bench: all suites, one after the other; a table each, and all of them in bench/RESULTS.md.
// npm run bench -- ticks create: those only, shown but not written. --quick: small numbers, to see that it works. --full: ten million rows, too.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'

const NAMES = ['ticks', 'create', 'burst', 'per-run', 'idle', 'imports', 'fleet', 'growth', 'stalls']
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
  },
})
const wanted = positionals.length > 0 ? positionals : NAMES
const rounds = values.quick ? 1 : Number(values.rounds)
const require = createRequire(import.meta.url)
const version = (name) =>
  JSON.parse(readFileSync(`${require.resolve.paths(name)[1]}/${name}/package.json`, 'utf8')).version
const peers = ['croner', 'node-cron', 'cron', 'node-schedule', 'cronosjs', 'toad-scheduler', 'bullmq']
const machine = `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}, Node ${process.version}`
const parts = [
  '# Speed, beside the peers',
  `Written by \`npm run bench\`: each figure is the median of ${rounds} rounds, the subjects in turn, each in a process of its own.\nCompare the lines of a table, not those of two machines.`,
  `${machine}; ${peers.map((name) => `${name} ${version(name)}`).join(', ')}.`,
]
for (const name of wanted) {
  const { title, run } = await import(`./suites/${name}.mjs`)
  console.log(`\n## ${title}\n`)
  // One that fails takes no others along.
  const result = await run({ rounds, quick: values.quick, full: values.full }).catch((error) => {
    process.exitCode = 1
    return `Failed: ${error.message}`
  })
  console.log(result)
  parts.push(`## ${title}`, result)
}
if (positionals.length === 0 && !values.quick) {
  writeFileSync(new URL('./RESULTS.md', import.meta.url), `${parts.join('\n\n')}\n`)
}
