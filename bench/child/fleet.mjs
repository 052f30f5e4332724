// One instance of a fleet: n one-second jobs, claimed in Redis, or as BullMQ's job schedulers with a worker.
const [kind, port, n, seconds, index] = [process.argv[2], ...process.argv.slice(3).map(Number)]
const late = []
let measuring = false
const note = (at) => measuring && late.push(Date.now() - at)

if (kind === 'escapement') {
  const { createScheduler } = await import('@escapement/core')
  const { redisLock } = await import('@escapement/redis-lock')
  const lock = redisLock({ clients: [`redis://127.0.0.1:${port}`] })
  const scheduler = createScheduler({ plugins: [lock] })
  for (let i = 0; i < n; i++)
    scheduler.job(`job-${i}`, '* * * * * *', async (run) => note(run.tick.scheduledAt.getTime()))
  await scheduler.start()
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
process.on('message', (message) => {
  if (message === 'measure') {
    measuring = true
    setTimeout(() => {
      measuring = false
      process.send({ late })
    }, seconds * 1000)
  } else process.exit(0)
})
