// A process on a file that cannot be written for a while: tells what it runs and what it logs.
import { writeSync } from 'node:fs'
import { createScheduler, every } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'

const [file] = process.argv.slice(2)
const tell = (line) => writeSync(1, `${JSON.stringify(line)}\n`)
const log = (_fields, text) => tell({ log: String(text) })
const scheduler = createScheduler({
  plugins: [sqlite({ file, heartbeat: 100, lease: 8000 })],
  logger: { debug() {}, info() {}, warn: log, error: log },
})
scheduler.on('settled', ({ key, outcome, attempt }) => {
  if (attempt > 0) tell({ key, outcome })
})
scheduler.job('a', every('1s'), async (run) => {
  tell({ begun: run.key })
  await new Promise((resolve) => setTimeout(resolve, 300))
})
await scheduler.start()
process.on('message', async (what) => {
  if (what === 'health') tell({ degraded: scheduler.health().degraded, live: scheduler.health().live })
  if (what !== 'stop') return
  await scheduler.stop()
  process.disconnect()
})
