// An app as a newcomer writes it: a pool without a listener for its errors.
import { createScheduler, every } from '@escapement/core'
import { postgres } from '@escapement/postgres'
import pg from 'pg'

const pool = new pg.Pool(JSON.parse(process.argv[2]))
const scheduler = createScheduler({
  plugins: [postgres({ pool, schema: 'careless', heartbeat: 200, lease: 2000 })],
  logger: { debug() {}, info() {}, warn() {}, error() {} },
})
let failed = false
scheduler.on('error', () => {
  failed = true
})
scheduler.job('a', every('1s'), () => {})
await scheduler.start()
// Connections that wait in the pool: they break first.
await Promise.all([1, 2, 3].map(() => pool.query('SELECT 1')))
console.log('ready')
let again = 0
scheduler.on('succeeded', async () => {
  if (!failed || ++again < 6) return
  failed = false
  console.log('runs again')
  await scheduler.stop()
  await pool.end()
  console.log('stopped')
})
