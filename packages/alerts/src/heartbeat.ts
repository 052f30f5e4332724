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
  const settings = parseOptions(options)
  const { urlOf, alive, every, flush } = settings
  const pings = new Pings(settings)
  let host: Host | undefined
  let next: ReturnType<Host['clock']['setTimeout']> | undefined
  const pingOf = (type: Ping['type'], run: Run) => {
    const url = urlOf(run.job)
    if (url === undefined) return
    pings.add(url, {
      type,
      job: run.job.name,
      run: run.id,
      error: type === 'fail' ? explain(run) : undefined,
    })
  }
  const pingAlive = () => {
    if (!alive || !host) return
    pings.add(alive.url, { type: 'alive', job: undefined, run: undefined, error: undefined })
    next = host.clock.setTimeout(pingAlive, every)
    next.unref?.()
  }
  return {
    name: 'heartbeat',
    setup(given) {
      host = given
      pings.log = given.log
      listen(given, pingOf)
    },
    start() {
      pings.open()
      pingAlive()
    },
    async stop() {
      if (next) host?.clock.clearTimeout(next)
      if (host) await pings.flush(host.clock, flush)
    },
    stats: () => ({ ...pings.counts }),
  }
}

function listen({ on }: Host, ping: (type: Ping['type'], run: Run) => void): void {
  on('running', (run) => ping('start', run))
  on('succeeded', (run) => ping('success', run))
  for (const outcome of ['failed', 'timed-out', 'lease-lost', 'abandoned', 'cancelled'] as const) {
    on(outcome, (run) => {
      if (run.attempt > 0 || outcome === 'abandoned') ping('fail', run)
    })
  }
}

interface Settings {
  readonly urlOf: (job: Job) => string | undefined
  readonly alive: HeartbeatOptions['alive']
  /** All in ms. */
  readonly every: number
  readonly timeout: number
  readonly flush: number
  readonly request: NonNullable<HeartbeatOptions['request']>
  readonly queue: number
  readonly tries: number
}

function parseOptions(options: HeartbeatOptions): Settings {
  checkKeys(options, KNOWN, 'heartbeat() option')
  const { jobs = {}, alive, request = healthchecks, queue = 1000, tries = 3 } = options
  func('request', request)
  const timeout = parseDuration(options.timeout ?? '10s', 'timeout', { min: 1, max: 600_000 })
  const flush = parseDuration(options.flush ?? '10s', 'flush', { max: 10_000 })
  const { every: given = '1m' } = (alive ?? {}) as { every?: Duration }
  const every = parseDuration(given, 'alive.every', { min: 1000 })
  integer('queue', queue, 1)
  integer('tries', tries, 1)
  if (alive !== undefined) {
    checkKeys(alive, { url: 1, every: 1 }, 'heartbeat: alive option')
    checkUrl(alive.url, 'heartbeat: alive.url')
  }
  const urlOf = parseJobs(jobs)
  if (alive === undefined && typeof jobs !== 'function' && Object.keys(jobs ?? {}).length === 0) {
    fail('heartbeat()', 'given jobs or alive: without both it pings nothing', options)
  }
  return { urlOf, alive, every, timeout, flush, request, queue, tries }
}

function parseJobs(jobs: NonNullable<HeartbeatOptions['jobs']>): Settings['urlOf'] {
  if (typeof jobs === 'function') {
    return (job) => {
      const url = jobs(job)
      if (url !== undefined) checkUrl(url, `heartbeat: the address of ${job.name}`)
      return url
    }
  }
  if (typeof jobs !== 'object') {
    fail('heartbeat: jobs', 'addresses by name of the job, or a function of the job', jobs)
  }
  for (const [job, url] of Object.entries(jobs ?? {})) checkUrl(url, `heartbeat: jobs.${printable(job)}`)
  return ({ name }) => (Object.hasOwn(jobs, name) ? jobs[name] : undefined)
}

/** Pings on their way. */
class Pings {
  readonly counts: ReturnType<Heartbeat['stats']> = { sent: 0, failed: 0, dropped: 0, waiting: 0 }
  log: Host['log'] | undefined
  readonly #settings: Settings
  /** By address: its pings go one after the other, as a success must not overtake its start. */
  readonly #lines = new Map<string, Promise<void>>()
  #stopping = new AbortController()
  #trouble = false

  constructor(settings: Settings) {
    this.#settings = settings
  }

  open(): void {
    this.#stopping = new AbortController()
  }

  add(url: string, ping: Ping): void {
    if (this.counts.waiting >= this.#settings.queue) {
      this.counts.dropped++
      return
    }
    this.counts.waiting++
    const line = (this.#lines.get(url) ?? Promise.resolve())
      .then(() => this.#send(url, ping))
      .finally(() => {
        this.counts.waiting--
        if (this.#lines.get(url) === line) this.#lines.delete(url)
      })
    this.#lines.set(url, line)
  }

  /** Waits for those that are on their way, at most `ms`. */
  async flush(clock: Host['clock'], ms: number): Promise<void> {
    const timer = clock.setTimeout(() => this.#stopping.abort(new Error('the scheduler stopped')), ms)
    await Promise.all(this.#lines.values())
    clock.clearTimeout(timer)
  }

  async #send(url: string, ping: Ping): Promise<void> {
    const { request, timeout, tries } = this.#settings
    for (let attempt = 1; ; attempt++) {
      try {
        const made = request(url, ping)
        const signal = AbortSignal.any([AbortSignal.timeout(timeout), this.#stopping.signal])
        await post({ name: 'heartbeat', body: '', ...made, signal, secrets: [url] })
        this.counts.sent++
        this.#trouble = false
        return
      } catch (error) {
        const hopeless = hintsOf(error).retryable === false
        if (attempt >= tries || hopeless || this.#stopping.signal.aborted)
          return this.#failed(url, ping, error)
        await pause(1000 * 5 ** (attempt - 1), this.#stopping.signal, { keepAlive: false })
      }
    }
  }

  #failed(url: string, { job }: Ping, error: unknown): void {
    this.counts.failed++
    // Once for each outage.
    if (!this.#trouble)
      this.log?.warn({ job, error: redactor([url])(describe(error).message) }, 'a heartbeat was not taken')
    this.#trouble = true
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
