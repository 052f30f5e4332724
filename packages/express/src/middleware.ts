import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Scheduler } from '@escapement/core'
import {
  bind,
  type ExpressApp,
  guardResponse,
  type HealthOptions,
  health,
  type MiddlewareOptions,
  toNode,
} from '@escapement/http'

declare global {
  namespace Express {
    interface Request {
      /** The scheduler of the app. */
      scheduler: Scheduler
    }
  }
}

/** As Express calls a middleware, without its types: the same for Express 4 and 5. */
export type ExpressMiddleware = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** The same for a handler that answers. */
export type ExpressHandler = ExpressMiddleware

/**
 * Makes the middleware of a scheduler that was made elsewhere. Mount it on the app, a router or a sub-app:
 * the scheduler starts when a server of the app listens, and drains when the last of them closes. Requests
 * find it as `req.scheduler`.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 * @example
 * app.use(middleware(scheduler))
 */
export function middleware(scheduler: Scheduler, options?: MiddlewareOptions): ExpressMiddleware {
  const { binding, options: parsed } = bind(scheduler, options)
  const handle: ExpressMiddleware = (req, res, next) => {
    binding.seen(req)
    if (parsed.guard) guardResponse(req, res)
    ;(req as IncomingMessage & { scheduler: Scheduler }).scheduler = scheduler
    next()
  }
  binding.own(handle)
  // With these Express takes it for an app, and hands over the app it is mounted on.
  return Object.assign(handle, {
    handle,
    set: () => handle,
    emit: (event: string, app: ExpressApp) => event === 'mount' && binding.mounted(app),
  })
}

/**
 * Answers `/healthz`: 200 or 503 with `{ state, live, ready, degraded, lag, inFlight, jobs }`;
 * 503 while draining.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 * @example
 * app.get('/healthz', healthz(scheduler))
 * app.get('/livez', healthz(scheduler, { probe: 'live' }))
 */
export function healthz(scheduler: Scheduler, options?: HealthOptions): ExpressHandler {
  const answer = toNode(health(scheduler, options))
  return (req, res, next) => {
    answer(req, res).catch(next)
  }
}
