// One instance of a fleet: n one-second jobs, claimed in Redis, or as BullMQ's job schedulers with a worker. The
// floor: its share of them, written to Redis when they begin and when they end, in two pipelines a second.
const [kind, port, n, index, instances] = [process.argv[2], ...process.argv.slice(3).map(Number)]
/** Of each run since the last message: its instant, and how late it was. */
let runs = []
const note = (at) => runs.push([at, Date.now() - at])

if (kind === 'escapement') {
  const { createScheduler } = await import('@escapement/core')
  const { redisLock } = await import('@escapement/redis-lock')
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  const lock = redisLock({ clients: [`redis://127.0.0.1:${port}`] })
  const scheduler = createScheduler({ plugins: [lock], logger: quiet })
  for (let i = 0; i < n; i++)
    scheduler.job(`job-${i}`, '* * * * * *', async (run) => note(run.tick.scheduledAt.getTime()))
  await scheduler.start()
} else if (kind === 'floor') {
  const { Redis } = await import('ioredis')
  const redis = new Redis(port, '127.0.0.1')
  const send = (at, state) => {
    const pipeline = redis.pipeline()
    for (let i = index; i < n; i += instances) pipeline.set(`job-${i}:${at}`, state, 'PX', 15_000)
    return pipeline.exec()
  }
  const tick = async () => {
    const at = Math.round(Date.now() / 1000) * 1000
    setTimeout(tick, at + 1000 - Date.now())
    for (const _ of await send(at, 'run')) note(at)
    await send(at, 'done')
  }
  setTimeout(tick, 1000 - (Date.now() % 1000))
} else {
  const { Queue, Worker } = await import('bullmq')
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  if (index === 0) {
    for (let i = 0; i < n; i++)
      await queue.upsertJobScheduler(`job-${i}`, { every: 1000 }, { opts: { removeOnComplete: true } })
  }
  new Worker('bench', async (job) => note(job.timestamp + job.delay), { connection, concurrency: 100 })
}
process.send('ready')
process.on('message', () => {
  process.send(runs)
  runs = []
})
