import { Scheduler, type SchedulerOptions } from '@escapement/core'
import { type HealthOptions, type MiddlewareOptions, watchServers } from '@escapement/http'
import type { Middleware } from 'koa'
import { healthz, middleware } from './middleware.ts'

/** A scheduler with middleware for Koa. */
export class KoaScheduler extends Scheduler {
  /** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION, ERR_ESCAPEMENT_PLUGIN */
  constructor(options: SchedulerOptions = {}) {
    super(options)
    watchServers()
  }

  /**
   * The scheduler starts when a server of the app listens, and drains when the last of them closes. Requests find it as `ctx.scheduler`.
   *
   * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
   * @example
   * app.use(scheduler.middleware())
   * app.listen(3000)
   */
  middleware(options?: MiddlewareOptions): Middleware {
    return middleware(this, options)
  }

  /**
   * Answers `/healthz`: 200 or 503 with `{ state, live, ready, degraded, lag, inFlight, jobs }`;
   * 503 while draining.
   *
   * @throws ERR_ESCAPEMENT_OPTION
   * @example
   * router.get('/healthz', scheduler.healthz())
   */
  healthz(options?: HealthOptions): Middleware {
    return healthz(this, options)
  }
}

/**
 * Makes a scheduler for a Koa app.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION, ERR_ESCAPEMENT_PLUGIN
 * @example
 * const scheduler = createScheduler()
 * scheduler.job('clean-logs', '0 3 * * *', cleanLogs)
 * app.use(scheduler.middleware())
 */
export function createScheduler(options: SchedulerOptions = {}): KoaScheduler {
  return new KoaScheduler(options)
}
