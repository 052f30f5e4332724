export * from '@escapement/core'
export {
  attach,
  type FetchHandler,
  type HealthOptions,
  type MiddlewareOptions,
  type SignalOptions,
} from '@escapement/http'
export { healthz, middleware } from './middleware.ts'
export { createScheduler, KoaScheduler } from './scheduler.ts'
