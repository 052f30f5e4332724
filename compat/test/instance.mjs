// One instance of a fleet of several versions, as a process of its own: writes a line for each run, answers messages, and
// drains on SIGTERM.
import { writeSync } from 'node:fs'
import pg from 'pg'

const { version, backend, server, name, jobs, lease, takes } = JSON.parse(process.argv[2])
const escapement =
  version === 'before'
    ? await import('../before/escapement.js')
    : {
        ...(await import('@escapement/core')),
        ...(await import('@escapement/sqlite')),
        ...(await import('@escapement/postgres')),
        ...(await import('@escapement/redis-lock')),
      }
const { createScheduler, every, sqlite, postgres, redisLock } = escapement

/** The lease and the heartbeat by the names that they have in the version. */
const heartbeat = lease / 5
const lengths = version === 'before' ? { stale: lease, heartbeat } : { lease, heartbeat }
const pool = backend === 'postgres' ? new pg.Pool(server) : undefined
const plugins = {
  sqlite: () => sqlite({ file: server, ...lengths }),
  postgres: () => postgres({ pool, ...lengths }),
  'redis-lock': () => redisLock({ clients: [server], lease, scan: heartbeat }),
}
const write = (line) => writeSync(1, `${JSON.stringify({ name, ...line })}\n`)
const log = (level) => (fields, text) => write({ event: 'log', level, text: text ?? String(fields) })
const scheduler = createScheduler({
  instance: name,
  plugins: [plugins[backend]()],
  logger: { debug() {}, info() {}, warn: log('warn'), error: log('error') },
})

/** A run or a record, in the words of this version. */
const told = ({ key, cause, trigger, restarts, start, outcome, state, reason, fence, until }) => ({
  key,
  cause: cause ?? trigger,
  start: restarts === undefined ? start : restarts + 1,
  outcome: outcome ?? state,
  reason: reason ?? undefined,
  fence: fence ?? undefined,
  until: until ?? undefined,
})
scheduler.on('settled', (run) => write({ event: 'settled', job: run.job.name, ...told(run) }))
for (const job of jobs) {
  const onAbandoned = job.startsWith('rerun') ? 'rerun' : 'record'
  scheduler.job(job, every('1s'), { onAbandoned }, async (run) => {
    write({ event: 'begin', job, ...told(run) })
    await new Promise((resolve) => setTimeout(resolve, takes))
  })
}

const answers = {
  history: async (query) => (await scheduler.history(query)).map(told),
  pause: (job) => scheduler.pause(job),
  resume: (job) => scheduler.resume(job),
}
process.on('message', async ({ id, ask, about }) => {
  process.send({ id, answer: await answers[ask](about) })
})
await scheduler.start()
write({ event: 'ready' })

process.once('SIGTERM', async () => {
  await scheduler.stop()
  await pool?.end()
  process.exit(0)
})
process.once('disconnect', () => process.exit(1))
