import { Scheduler, type SchedulerOptions } from '@escapement/core'
import { type HealthOptions, type MiddlewareOptions, watchServers } from '@escapement/http'
import { type ExpressHandler, type ExpressMiddleware, healthz, middleware } from './middleware.ts'

/** A scheduler with middleware for Express. */
export class ExpressScheduler extends Scheduler {
  /** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION, ERR_ESCAPEMENT_PLUGIN */
  constructor(options: SchedulerOptions = {}) {
    super(options)
    watchServers()
  }

  /**
   * Mount it on the app, a router or a sub-app: the scheduler starts when a server of the app listens, and
   * drains when the last of them closes. Requests find it as `req.scheduler`.
   *
   * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
   * @example
   * app.use(scheduler.middleware())
   * app.listen(3000)
   */
  middleware(options?: MiddlewareOptions): ExpressMiddleware {
    return middleware(this, options)
  }

  /**
   * Answers `/healthz`: 200 or 503 with `{ state, live, ready, degraded, lag, inFlight, jobs }`;
   * 503 while draining.
   *
   * @throws ERR_ESCAPEMENT_OPTION
   * @example
   * app.get('/healthz', scheduler.healthz())
   */
  healthz(options?: HealthOptions): ExpressHandler {
    return healthz(this, options)
  }
}

/**
 * Makes a scheduler for an Express app.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION, ERR_ESCAPEMENT_PLUGIN
 * @example
 * const scheduler = createScheduler()
 * scheduler.job('clean-logs', '0 3 * * *', cleanLogs)
 * app.use(scheduler.middleware())
 */
export function createScheduler(options: SchedulerOptions = {}): ExpressScheduler {
  return new ExpressScheduler(options)
}
