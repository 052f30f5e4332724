export * from '@escapement/core'
export {
  attach,
  type FetchHandler,
  type HealthOptions,
  type MiddlewareOptions,
  type SignalOptions,
} from '@escapement/http'
export { type ExpressHandler, type ExpressMiddleware, healthz, middleware } from './middleware.ts'
export { createScheduler, ExpressScheduler } from './scheduler.ts'
