import { type Duration, type Host, type Job, type Plugin, parseDuration, type Run } from '@escapement/core'
import { checkKeys, describe, fail, func, integer, printable } from '@escapement/core/plugin'
import { post, redactor } from './channel/http.ts'
import { checkUrl } from './channel/options.ts'
import { errorFact } from './incident/serialize.ts'
import { hintsOf } from './message/delivery.ts'
import { pause } from './util/pause.ts'

const KNOWN = {
  jobs: 1,
  alive: 1,
  request: 1,
  tries: 1,
  timeout: 1,
  queue: 1,
  flush: 1,
} satisfies Record<keyof HeartbeatOptions, 1>

/** What is pinged. */
export interface Ping {
  readonly type: 'start' | 'success' | 'fail' | 'alive'
  /** The job's name and the run's id; undefined for `alive`. */
  readonly job: string | undefined
  readonly run: string | undefined
  /** What went wrong. */
  readonly error: string | undefined
}

export interface HeartbeatOptions {
  /** The address of each job's check, by name; or a function that says it, undefined for a job without one. */
  jobs?: Readonly<Record<string, string>> | ((job: Job) => string | undefined)
  /** Pinged as long as the scheduler runs. */
  alive?: { url: string; every?: Duration }
  /**
   * How a ping is made. Default as healthchecks.io has it: `POST <url>`, `<url>/start` and `<url>/fail`, each
   * with `?rid=<run id>`; the error is the body.
   */
  request?: (url: string, ping: Ping) => { url: string; body?: string; method?: 'POST' | 'GET' }
  /** Tries for a ping. Default 3. */
  tries?: number
  /** For one try. Default 10 s. */
  timeout?: Duration
  /** Pings that may wait. Those beyond are dropped, and counted. Default 1,000. */
  queue?: number
  /** How long a stopping scheduler is kept for the last pings. Default 10 s, which is also the most. */
  flush?: Duration
}

export interface Heartbeat extends Plugin {
  readonly name: 'heartbeat'
  stats(): { sent: number; failed: number; dropped: number; waiting: number }
}

/**
 * Pings an address outside for every run, and while the scheduler lives: so that somebody hears of a process
 * that is dead, which can tell nobody itself.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * plugins: [heartbeat({ jobs: { 'daily-report': 'https://hc-ping.com/2f2f…' }, alive: { url: 'https://hc-ping.com/91ab…' } })]
 */
export function heartbeat(options: HeartbeatOptions): Heartbeat {
  checkKeys(options, KNOWN, 'heartbeat() option')
  const { jobs = {}, alive, request = healthchecks, queue = 1000, tries = 3 } = options
  func('request', request)
  const timeout = parseDuration(options.timeout ?? '10s', 'timeout', { min: 1, max: 600_000 })
  const flush = parseDuration(options.flush ?? '10s', 'flush', { max: 10_000 })
  const every = parseDuration(
    (alive as { every?: Duration } | null | undefined)?.every ?? '1m',
    'alive.every',
    { min: 1000 },
  )
  integer('queue', queue, 1)
  integer('tries', tries, 1)
  if (alive !== undefined) {
    checkKeys(alive, { url: 1, every: 1 }, 'heartbeat: alive option')
    checkUrl(alive.url, 'heartbeat: alive.url')
  }
  if (typeof jobs !== 'object' && typeof jobs !== 'function') {
    fail('heartbeat: jobs', 'addresses by name of the job, or a function of the job', jobs)
  }
  if (typeof jobs !== 'function')
    for (const [job, url] of Object.entries(jobs ?? {})) checkUrl(url, `heartbeat: jobs.${printable(job)}`)
  if (alive === undefined && typeof jobs !== 'function' && Object.keys(jobs ?? {}).length === 0) {
    fail('heartbeat()', 'given jobs or alive: without both it pings nothing', options)
  }
  const urlOf =
    typeof jobs === 'function'
      ? jobs
      : (job: Job) => (Object.hasOwn(jobs, job.name) ? jobs[job.name] : undefined)

  const counts = { sent: 0, failed: 0, dropped: 0, waiting: 0 }
  /** By address: its pings go one after the other, as a success must not overtake its start. */
  const lines = new Map<string, Promise<void>>()
  let host: Host | undefined
  let beat: ReturnType<Host['clock']['setTimeout']> | undefined
  let stopping = new AbortController()
  let trouble = false

  const send = async (url: string, ping: Ping) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const made = request(url, ping)
        const signal = AbortSignal.any([AbortSignal.timeout(timeout), stopping.signal])
        await post({ name: 'heartbeat', body: '', ...made, signal, secrets: [url] })
        counts.sent++
        trouble = false
        return
      } catch (error) {
        const hopeless = hintsOf(error).retryable === false
        if (attempt < tries && !hopeless && !stopping.signal.aborted) {
          await pause(1000 * 5 ** (attempt - 1), stopping.signal, { keepAlive: false })
          continue
        }
        counts.failed++
        // Once for each outage.
        if (!trouble)
          host?.log.warn(
            { job: ping.job, error: redactor([url])(describe(error).message) },
            'a heartbeat was not taken',
          )
        trouble = true
        return
      }
    }
  }

  const enqueue = (url: string, ping: Ping) => {
    if (counts.waiting >= queue) {
      counts.dropped++
      return
    }
    counts.waiting++
    const line = (lines.get(url) ?? Promise.resolve())
      .then(() => send(url, ping))
      .finally(() => {
        counts.waiting--
        if (lines.get(url) === line) lines.delete(url)
      })
    lines.set(url, line)
  }

  const tell = (type: Ping['type'], run: Run) => {
    const url = urlOf(run.job)
    if (url === undefined) return
    checkUrl(url, `heartbeat: the address of ${run.job.name}`)
    enqueue(url, { type, job: run.job.name, run: run.id, error: type === 'fail' ? explain(run) : undefined })
  }

  const again = () => {
    if (!alive || !host) return
    enqueue(alive.url, { type: 'alive', job: undefined, run: undefined, error: undefined })
    beat = host.clock.setTimeout(again, every)
    beat.unref?.()
  }

  return {
    name: 'heartbeat',
    setup(given) {
      host = given
      given.on('running', (run) => tell('start', run))
      given.on('succeeded', (run) => tell('success', run))
      for (const outcome of ['failed', 'timed-out', 'lease-lost', 'abandoned', 'cancelled'] as const) {
        given.on(outcome, (run) => {
          if (run.attempt > 0 || outcome === 'abandoned') tell('fail', run)
        })
      }
    },
    start() {
      stopping = new AbortController()
      again()
    },
    async stop() {
      if (!host) return
      const { clock } = host
      if (beat) clock.clearTimeout(beat)
      const timer = clock.setTimeout(() => stopping.abort(new Error('the scheduler stopped')), flush)
      await Promise.all(lines.values())
      clock.clearTimeout(timer)
    },
    stats: () => ({ ...counts }),
  }
}

/** https://healthchecks.io/docs/http_api/ */
function healthchecks(url: string, { type, run, error }: Ping): { url: string; body?: string } {
  const address = new URL(url)
  if (type === 'start' || type === 'fail') address.pathname = `${address.pathname.replace(/\/$/, '')}/${type}`
  if (run) address.searchParams.set('rid', run)
  return error === undefined ? { url: address.href } : { url: address.href, body: error }
}

function explain(run: Run): string {
  const { name, message, stack } = errorFact(run.error)
  return `${run.outcome}: ${stack ?? `${name}: ${message}`}`
}
