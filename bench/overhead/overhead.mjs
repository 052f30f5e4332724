// What the plugins cost per run. Every variant runs in a process of its own, in turns; the table shows medians,
// and what they add to a run without plugins. Compare numbers of one table only.
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const TURNS = Number(process.argv[2] ?? 3)
const VARIANTS = [
  'no plugin',
  'otel, no SDK',
  'otel, not sampled',
  'otel, batch processor',
  'prometheus',
  'otel and prometheus',
]
const KINDS = ['sync', 'async']
const script = fileURLToPath(new URL('./one.mjs', import.meta.url))

const samples = new Map()
for (let turn = 0; turn < TURNS; turn++) {
  for (const kind of KINDS) {
    for (const name of VARIANTS) {
      const ns = Number(execFileSync(process.execPath, [script, name, kind], { encoding: 'utf8' }))
      samples.set(`${kind} ${name}`, [...(samples.get(`${kind} ${name}`) ?? []), ns])
    }
  }
}

const median = (key) => {
  const sorted = samples.get(key).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model.trim()}, ${TURNS} turns\n`)
for (const kind of KINDS) {
  const base = median(`${kind} no plugin`)
  console.log(
    `a run of an empty ${kind} handler`.padEnd(40),
    'ns/run'.padStart(8),
    'added'.padStart(8),
    'ratio'.padStart(7),
  )
  for (const name of VARIANTS) {
    const ns = median(`${kind} ${name}`)
    console.log(
      `  ${name}`.padEnd(40),
      String(ns).padStart(8),
      String(ns - base).padStart(8),
      (ns / base).toFixed(2).padStart(7),
    )
  }
}
