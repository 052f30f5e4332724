// Each way to run `n` jobs, behind one function: (n, expression of job i, handler of job i) => stop.
// Loaded one at a time, in a process of its own.

/** A heap of due times and one timer: what any scheduler must do at the least. Every second only. */
async function floor(n, _expression, handler) {
  const heap = []
  const start = Math.floor(Date.now() / 1000) * 1000 + 1000
  for (let i = 0; i < n; i++) heap.push({ due: start, run: handler(i) })
  let timer = setTimeout(wake, heap[0].due - Date.now())
  function wake() {
    const now = Date.now()
    while (heap[0].due <= now) {
      const job = heap[0]
      job.due += 1000
      sink(job)
      job.run().catch(() => {})
    }
    timer = setTimeout(wake, Math.max(1, heap[0].due - Date.now()))
  }
  function sink(job) {
    let i = 0
    for (let below = 1; below < n; below = 2 * i + 1) {
      if (below + 1 < n && heap[below + 1].due < heap[below].due) below++
      if (heap[below].due >= job.due) break
      heap[i] = heap[below]
      i = below
    }
    heap[i] = job
  }
  return () => clearTimeout(timer)
}

async function escapement(n, expression, handler) {
  const { createScheduler } = await import('@escapement/core')
  const scheduler = createScheduler()
  for (let i = 0; i < n; i++) scheduler.job(`job-${i}`, expression(i), handler(i))
  await scheduler.start()
  return () => scheduler.stop()
}

async function croner(n, expression, handler) {
  const { Cron } = await import('croner')
  const jobs = Array.from({ length: n }, (_, i) => new Cron(expression(i), handler(i)))
  return () => {
    for (const job of jobs) job.stop()
  }
}

async function nodeCron(n, expression, handler) {
  const { default: cron } = await import('node-cron')
  const tasks = Array.from({ length: n }, (_, i) => cron.schedule(expression(i), handler(i)))
  return () => {
    for (const task of tasks) void task.stop()
  }
}

async function cron(n, expression, handler) {
  const { CronJob } = await import('cron')
  const jobs = Array.from({ length: n }, (_, i) => new CronJob(expression(i), handler(i), null, true))
  return () => {
    for (const job of jobs) void job.stop()
  }
}

async function nodeSchedule(n, expression, handler) {
  const { default: schedule } = await import('node-schedule')
  const jobs = Array.from({ length: n }, (_, i) => schedule.scheduleJob(expression(i), handler(i)))
  return () => {
    for (const job of jobs) job.cancel()
  }
}

async function cronosjs(n, expression, handler) {
  const { scheduleTask } = await import('cronosjs')
  const tasks = Array.from({ length: n }, (_, i) => scheduleTask(expression(i), handler(i)))
  return () => {
    for (const task of tasks) void task.stop()
  }
}

/** It has no cron of its own: an interval of a second, whatever the expression. */
async function toadScheduler(n, _expression, handler) {
  const { AsyncTask, SimpleIntervalJob, ToadScheduler } = await import('toad-scheduler')
  const scheduler = new ToadScheduler()
  for (let i = 0; i < n; i++) {
    scheduler.addSimpleIntervalJob(
      new SimpleIntervalJob({ seconds: 1 }, new AsyncTask(`job-${i}`, handler(i))),
    )
  }
  return () => scheduler.stop()
}

export const subjects = {
  floor,
  escapement,
  croner,
  'node-cron': nodeCron,
  cron,
  'node-schedule': nodeSchedule,
  cronosjs,
  'toad-scheduler': toadScheduler,
}
