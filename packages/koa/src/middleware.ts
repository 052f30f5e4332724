import type { Scheduler } from '@escapement/core'
import {
  answer,
  bind,
  guardResponse,
  guardSetters,
  type HealthOptions,
  health,
  type MiddlewareOptions,
} from '@escapement/http'
import type { Middleware } from 'koa'

declare module 'koa' {
  interface ExtendableContext {
    /** The scheduler of the app. */
    scheduler: Scheduler
  }
}

/**
 * Makes the middleware of a scheduler that was made elsewhere: the scheduler starts when a server of the app
 * listens, and drains when the last of them closes. Requests find it as `ctx.scheduler`.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 * @example
 * app.use(middleware(scheduler))
 */
export function middleware(scheduler: Scheduler, options?: MiddlewareOptions): Middleware {
  const { binding, options: parsed } = bind(scheduler, options)
  binding.koa = true
  return (ctx, next) => {
    binding.seen(ctx.req)
    if (parsed.guard) {
      guardResponse(ctx.req, ctx.res)
      guardSetters(ctx.response, ['body', 'status'], ctx.req, ctx.res)
    }
    ctx.scheduler = scheduler
    return next()
  }
}

/**
 * Answers `/healthz`: 200 or 503 with `{ state, live, ready, degraded, lag, inFlight, jobs }`;
 * 503 while draining.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 * @example
 * router.get('/healthz', healthz(scheduler))
 * router.get('/livez', healthz(scheduler, { probe: 'live' }))
 */
export function healthz(scheduler: Scheduler, options?: HealthOptions): Middleware {
  const handler = health(scheduler, options)
  return async (ctx) => {
    const response = await answer(handler, ctx.req)
    ctx.status = response.status
    ctx.body = Buffer.from(await response.arrayBuffer())
    for (const [name, value] of response.headers) ctx.set(name, value)
  }
}
