/** One instance of a fleet: a scheduler with jobs that write down what they do. */
import { appendFileSync, closeSync, openSync } from 'node:fs'
import { type Clock, createScheduler, type Plugin, type Run, systemClock } from '@escapement/core'
import { redisLock } from '@escapement/redis-lock'
import { Redis } from 'ioredis'
import { naive } from './naive.ts'
import type { ClientConfig, Command, JobConfig, Line, WorkerConfig } from './worker-config.ts'

const config = JSON.parse(process.env.CHAOS_WORKER as string) as WorkerConfig
let skew = config.skew

const clock: Clock = { ...systemClock, now: () => Date.now() + skew }

/** Synchronous, so that a SIGKILL loses nothing that has happened. */
function write(line: Omit<Line, 't' | 'w'>): void {
  appendFileSync(config.log, `${JSON.stringify({ t: Date.now(), w: config.name, ...line })}\n`)
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

function client(given: ClientConfig): Redis | string {
  if ('url' in given) return given.url
  const { sentinels, name } = given
  return new Redis({
    sentinels: [...sentinels],
    name,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 500,
    connectTimeout: 1000,
    retryStrategy: (times) => Math.min(times * 50, 500),
    sentinelRetryStrategy: (times) => Math.min(times * 50, 500),
  })
}

const clients = config.clients.map(client)
const plugin: Plugin =
  config.design === 'escapement'
    ? redisLock({ ...config.lock, clients })
    : naive(config.design, config.clients[0] as { url: string })
const scheduler = createScheduler({ instance: config.name, plugins: [plugin], clock, logger: quiet })

for (const job of config.jobs) {
  scheduler.job(
    job.name,
    `${job.seconds === 1 ? '*' : `*/${job.seconds}`} * * * * *`,
    job.options ?? {},
    (run) => work(run, job),
  )
}

async function work(run: Run, { ms, dies }: JobConfig): Promise<void> {
  const die = () => process.kill(process.pid, 'SIGKILL')
  const late = dies === 'again' ? run.restarts > 0 : performance.now() > 4000
  const killer = dies && late && isFirst(run.job.name) ? dies : undefined
  const about = {
    job: run.job.name,
    tick: idOf(run),
    at: run.tick.scheduledAt.getTime(),
    start: run.restarts + 1,
  }
  const fenced = { ...about, ...(run.fence !== undefined && { fence: run.fence }) }
  write({ e: 'start', ...fenced })
  if (killer === 'before' || killer === 'again') die()
  if (ms > 0) {
    const until = performance.now() + ms
    run.signal.addEventListener('abort', () => write({ e: 'abort', ...fenced }))
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      run.assertHeld()
      write({ e: 'write', ...fenced })
    }
  }
  write({ e: 'end', ...fenced })
  if (killer === 'after') die()
}

/** Only one process of the fleet dies of a job. */
function isFirst(job: string): boolean {
  try {
    closeSync(openSync(`${config.log.replace(/[^/]*$/, '')}${job}.died`, 'wx'))
    return true
  } catch {
    return false
  }
}

/** An instant met again is the same tick. */
function idOf(run: Run): string {
  return run.cause === 'manual' ? run.key : `${run.job.name}@${run.tick.scheduledAt.toISOString()}`
}

scheduler.on('settled', (run) => {
  // The usual case, and no news: who has it will tell.
  if (run.reason === 'claimed-elsewhere') return
  const at = run.tick.scheduledAt.getTime()
  const text = run.error instanceof Error ? run.error.message : undefined
  write({
    e: 'settled',
    job: run.job.name,
    tick: idOf(run),
    at,
    outcome: run.outcome as string,
    ...(run.reason && { reason: run.reason }),
    ...(text && { text }),
  })
})
scheduler.on('tick-lost', ({ job, tick }) => write({ e: 'event', name: 'tick-lost', job, tick }))
scheduler.on('fenced', ({ job, fence }) => write({ e: 'event', name: 'fenced', job, fence }))
scheduler.on('clock-skew', ({ skew }) => write({ e: 'event', name: 'clock-skew', text: String(skew) }))
scheduler.on('clock-step', ({ by }) => write({ e: 'event', name: 'clock-step', text: String(by) }))
scheduler.on('error', (error) => write({ e: 'crash', text: `error event: ${String(error)}` }))
process.on('uncaughtException', (error) => write({ e: 'crash', text: `uncaught: ${error.stack}` }))
process.on('unhandledRejection', (error) => write({ e: 'crash', text: `unhandled: ${String(error)}` }))

setInterval(() => write({ e: 'rss', mb: Math.round(process.memoryUsage.rss() / 1e5) / 10 }), 1000).unref()

process.on('message', (command: Command) => {
  if (command.do === 'step') skew += command.by
  else if (command.do === 'block') {
    const end = performance.now() + command.ms
    while (performance.now() < end);
  } else {
    void scheduler.stop({ grace: '3s' }).then(() => {
      write({ e: 'stopped' })
      for (const given of clients) if (typeof given !== 'string') given.disconnect()
      process.exit(0)
    })
  }
})
process.on('disconnect', () => process.exit(0))

await scheduler.start()
write({ e: 'ready' })
process.send?.('ready')
