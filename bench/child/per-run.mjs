// What a run costs beside its handler: of ticks, by a clock that is moved on by hand, and of requests, one by one.
import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { createScheduler, manual } from '@escapement/core'

const [JOBS, TICKS, REQUESTS] = [1000, 200, 200_000]
const handler = async () => {}
const hook = { name: 'hook', hooks: { run: (_run, next) => next() } }
const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Fires ticks of so many jobs, with a slice of the loop for each second as in life. */
async function ticks(options, work) {
  let [wall, wake, runs] = [Date.UTC(2026, 0, 1), undefined, 0]
  const clock = {
    now: () => wall,
    monotonic: () => performance.now() + wall,
    setTimeout: (callback) => {
      wake = callback
      return {}
    },
    clearTimeout() {},
    setImmediate: (callback) => setImmediate(() => callback()),
  }
  const scheduler = createScheduler({ ...options, clock, timezone: 'UTC' })
  for (let i = 0; i < JOBS; i++) {
    scheduler.job(`job-${i}`, '* * * * * *', async (run) => {
      runs++
      work(run)
    })
  }
  await scheduler.start()
  return async () => {
    const end = runs + JOBS * TICKS
    while (runs < end) {
      wall += 1000
      const due = runs + JOBS
      wake()
      do await turn()
      while (runs < due)
    }
    return JOBS * TICKS
  }
}

async function direct() {
  for (let i = 0; i < REQUESTS; i++) await handler()
  return REQUESTS
}

const requested = createScheduler().job('requested', manual(), handler)
async function request() {
  for (let i = 0; i < REQUESTS; i++) await requested.run(undefined, { wait: true })
  return REQUESTS
}

const subjects = {
  direct,
  'a tick: timetable, chain, history': await ticks({}, () => {}),
  'a tick, with log lines, bindings and a hook': await ticks({ plugins: [hook], logger }, (run) =>
    run.log.info('here'),
  ),
  'the same, and its signal touched': await ticks({ plugins: [hook], logger }, (run) => {
    run.log.info('here')
    void run.signal
  }),
  'a run asked for, awaited': request,
}
const result = {}
for (const [name, work] of Object.entries(subjects)) {
  await work()
  const begun = process.cpuUsage()
  const runs = await work()
  const { user, system } = process.cpuUsage(begun)
  result[name] = (user + system) / runs
}
console.log(JSON.stringify(result))
process.exit(0)
