// A sqlite history that grows: at each size, what a record costs, and a page of one job's runs and of all.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScheduler } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'
import { fakeRun } from '@escapement/testing'

const sizes = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'escapement-history-'))
const file = join(folder, 'jobs.db')
const plugin = sqlite({ file, lock: false, retention: { runs: 1e7, age: '3650d' } })
const scheduler = createScheduler({ plugins: [plugin] })
await scheduler.start()
const { store } = plugin
const begun = Date.now() - 86_400_000
const results = []
let written = 0

async function write(until) {
  const start = performance.now()
  const first = written
  while (written < until) {
    for (let i = 0; i < 2000 && written < until; i++, written++) {
      void store.record(fakeRun({ job: `job-${written % 1000}`, at: begun + written, outcome: 'succeeded' }))
    }
    // Who reads has all written first.
    await store.runs({ limit: 1 })
  }
  return ((performance.now() - start) * 1000) / (written - first)
}

async function median(query) {
  const times = []
  for (let i = 0; i < 30; i++) {
    const start = performance.now()
    await store.runs(query(i))
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[15]
}

for (const size of sizes) {
  await write(size - Math.min(size, 5000))
  const record = await write(size)
  const job = await median((i) => ({ job: `job-${(i * 37) % 1000}`, limit: 50 }))
  const all = await median(() => ({ limit: 50 }))
  results.push({ size, record, job, all, mb: statSync(file).size / 1e6 })
}
await scheduler.stop()
rmSync(folder, { recursive: true })
console.log(JSON.stringify(results))
