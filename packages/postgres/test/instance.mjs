// One instance of a fleet, as a process of its own: tells of each run of its job, and drains on SIGTERM.
import { writeSync } from 'node:fs'
import { createScheduler, every } from '@escapement/core'
import { postgres } from '@escapement/postgres'
import pg from 'pg'

const { config, schema, name, job, period, takes, heartbeat, lease, onAbandoned } = JSON.parse(
  process.argv[2],
)
const pool = new pg.Pool(config)
const scheduler = createScheduler({
  instance: name,
  plugins: [postgres({ pool, schema, heartbeat, lease })],
  logger: { debug() {}, info() {}, warn() {}, error() {} },
})
const tell = (line) => writeSync(1, `${JSON.stringify({ name, ...line })}\n`)

scheduler.on('settled', ({ key, outcome, reason, restarts, fence }) =>
  tell({ event: 'settled', key, outcome, reason, start: restarts + 1, fence }),
)
scheduler.job(job, every(period), { onAbandoned }, async (run) => {
  tell({ event: 'begin', key: run.key, start: run.restarts + 1, fence: run.fence })
  await new Promise((resolve) => setTimeout(resolve, takes))
})
await scheduler.start()
tell({ event: 'ready' })

process.once('SIGTERM', async () => {
  await scheduler.stop()
  await pool.end()
  process.exit(0)
})
