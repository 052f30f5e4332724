import { EscapementError, type Host, type Plugin } from '@escapement/core'
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

    attach(host) {
      host.on('added', (job) => {
        const state = newState(job)
        states.set(job.name, state)
        families.add(state)
      })
      host.on('removed', (job) => {
        const state = states.get(job.name)
        if (!state) return
        states.delete(job.name)
        families.remove(state)
      })
      // A run may outlive its job, whose series are gone by then.
      const stateOf = (run: { job: { name: string } }) => {
        const state = states.get(run.job.name)
        return state?.job === run.job ? state : undefined
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
      host.on('error', (_error, { source }) => families.fault(source))
      host.on('start', () => running.add(host))
      host.on('drain', () => running.delete(host))
    },

    handler() {
      return async (_req, res) => {
        try {
          const body = await registry.metrics()
          res.setHeader('Content-Type', registry.contentType)
          res.end(body)
        } catch (error) {
          res.statusCode = 500
          res.setHeader('Content-Type', 'text/plain')
          res.end(`the metrics cannot be collected: ${String(error)}\n`)
        }
      }
    },

    koa() {
      return async (ctx) => {
        const body = await registry.metrics()
        ctx.set('Content-Type', registry.contentType)
        ctx.body = body
      }
    },
  }
}
