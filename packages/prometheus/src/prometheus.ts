import { EscapementError, type Host, type Plugin, type Run } from '@escapement/core'
import { collectDefaultMetrics, type Registry } from 'prom-client'
import { Families } from './families.ts'
import { gauges } from './gauges.ts'
import { type AnyRegistry, type PrometheusOptions, settings } from './options.ts'
import { began, ended, type JobState, newState } from './state.ts'

/** What the handlers need of a response: Node's, and Express's. */
interface Response {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

/** What the middleware needs of Koa's context. */
interface KoaContext {
  status: number
  body: unknown
  set(name: string, value: string): unknown
}

export interface PrometheusPlugin extends Plugin {
  readonly registry: AnyRegistry
  /** Answers with the metrics: for `app.get('/metrics', …)` of Express, or `http.createServer(…)`. */
  handler(): (req: unknown, res: Response) => Promise<void>
  /** The same for Koa: `router.get('/metrics', …)`. */
  koa(): (ctx: KoaContext) => Promise<void>
}

/**
 * Metrics of jobs for Prometheus: runs by outcome, durations with trace ids, delays, the last success, the
 * next run. One plugin may be given to several schedulers.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 * @throws ERR_ESCAPEMENT_PLUGIN when the registry has these metrics already
 *
 * @example
 * const metrics = prometheus()
 * const scheduler = createScheduler({ plugins: [metrics] })
 * app.get('/metrics', metrics.handler())
 */
export function prometheus(options: PrometheusOptions = {}): PrometheusPlugin {
  const checked = settings(options)
  const { registry } = checked
  const states = new Map<string, JobState>()
  const running = new Set<Host>()
  if (registry.getSingleMetric('scheduler_job_runs_total')) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_PLUGIN',
      'the registry has the metrics of another prometheus() already: give that plugin to both schedulers',
    )
  }
  const families = new Families(checked)
  gauges(
    checked,
    () => states.values(),
    () => running.size > 0,
  )
  if (checked.defaultMetrics) collectDefaultMetrics({ register: registry as Registry })
  return {
    name: 'prometheus',
    registry,
    setup(host) {
      observeJobs(host, states, families)
      observeRuns(host, states, families)
      host.on('error', (_error, { source }) => families.fault(source))
      host.on('start', () => running.add(host))
      host.on('drain', () => running.delete(host))
    },
    ...pages(registry, running),
  }
}

function observeJobs(host: Host, states: Map<string, JobState>, families: Families): void {
  host.on('added', (job) => {
    let state = states.get(job.name)
    if (!state) {
      state = newState(job.name)
      states.set(job.name, state)
      families.add(state)
    }
    state.jobs.add(job)
  })
  host.on('removed', (job) => {
    const state = states.get(job.name)
    if (!state?.jobs.delete(job) || state.jobs.size > 0) return
    states.delete(job.name)
    families.remove(state)
  })
}

function observeRuns(host: Host, states: ReadonlyMap<string, JobState>, families: Families): void {
  // A run may outlive its job, whose series are gone by then.
  const stateOf = (run: Run) => {
    const state = states.get(run.job.name)
    return state?.jobs.has(run.job) ? state : undefined
  }
  host.on('running', (run) => {
    const state = stateOf(run)
    if (!state) return
    began(state, run)
    families.began(run)
  })
  host.on('settled', (run) => {
    const state = stateOf(run)
    if (!state) return
    ended(state, run)
    families.ended(run)
  })
}

/** @param running The schedulers that run: one of them writes why the metrics cannot be collected. */
function pages(registry: AnyRegistry, running: ReadonlySet<Host>): Pick<PrometheusPlugin, 'handler' | 'koa'> {
  // The page may be open to strangers, and a collector of the app may fail with anything: the log has the error.
  async function scrape(): Promise<{ status: number; type: string; body: string }> {
    try {
      return { status: 200, type: registry.contentType, body: await registry.metrics() }
    } catch (error) {
      const [host] = running
      host?.log.error({ error }, 'the metrics cannot be collected')
      return { status: 500, type: 'text/plain', body: 'the metrics cannot be collected: the log says why\n' }
    }
  }
  return {
    handler: () => async (_req, res) => {
      const { status, type, body } = await scrape()
      res.statusCode = status
      res.setHeader('Content-Type', type)
      res.end(body)
    },
    koa: () => async (ctx) => {
      const { status, type, body } = await scrape()
      ctx.status = status
      ctx.set('Content-Type', type)
      ctx.body = body
    },
  }
}
