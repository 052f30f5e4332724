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

/** A run or a record, in the words that both versions can say. */
const told = ({ key, cause, trigger, restarts, start, outcome, state, reason, until, fence }) => ({
  key,
  cause: cause ?? trigger,
  start: restarts === undefined ? start : restarts + 1,
  outcome: outcome ?? state,
  reason,
  until: until ?? undefined,
  fence: fence ?? undefined,
})
const RECORDED = ['id', 'job', 'scheduledAt', 'attempt', 'startedAt', 'endedAt', 'errors', 'instance']
const recorded = (record) => ({
  ...told(record),
  ...Object.fromEntries(RECORDED.map((name) => [name, record[name]])),
})
scheduler.on('settled', (run) => write({ event: 'settled', job: run.job.name, ...told(run) }))
for (const job of jobs) {
  const onAbandoned = job.startsWith('rerun') ? 'rerun' : 'record'
  const retry = job.startsWith('failing') ? { retries: 1, delay: 10 } : 0
  scheduler.job(job, every('1s'), { onAbandoned, retry }, async (run) => {
    if (run.attempt === 1) write({ event: 'begin', job, ...told(run) })
    if (retry) throw new Error(`attempt ${run.attempt} fails`)
    await new Promise((resolve) => setTimeout(resolve, takes))
  })
}

let timer
const cell = new Int32Array(new SharedArrayBuffer(4))
const blockNext = () => {
  timer = setTimeout(
    () => {
      Atomics.wait(cell, 0, 0, 300)
      blockNext()
    },
    1000 - ((Date.now() + 100) % 1000),
  )
}

const answers = {
  /** Whether it blocks around each full second, when it runs nothing: then another instance gets the ticks. */
  yield: (on) => (on ? blockNext() : clearTimeout(timer)),
  history: async (query) => (await scheduler.history(query)).map(recorded),
  pause: (job) => scheduler.pause(job),
  resume: (job) => scheduler.resume(job),
  /** When it has held the mutex. */
  hold: (mutex) =>
    scheduler.exclusive(mutex, async () => {
      const from = Date.now()
      await new Promise((resolve) => setTimeout(resolve, 50))
      return { from, to: Date.now() }
    }),
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
