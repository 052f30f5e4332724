import type { Server } from 'node:net'
import type { Scheduler } from '@escapement/core'
import type { Binding } from './binding.ts'
import { hub } from './hub.ts'
import { type MiddlewareOptions, type Options, parseOptions } from './options.ts'
import { checkAttached, checkScheduler } from './shapes.ts'

/** A scheduler bound to the servers that will serve its middleware. For adapters. */
export interface Bound {
  readonly binding: Binding
  readonly options: Options
}

/**
 * Binds a scheduler to the life of the servers that serve it. For adapters: they give the binding the
 * middleware they make (`own`), and tell it of every request (`seen`).
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function bind(scheduler: Scheduler, options?: MiddlewareOptions): Bound {
  checkScheduler(scheduler, 'middleware()')
  const parsed = parseOptions(options)
  const binding = hub().bind(scheduler)
  binding.configure(parsed)
  return { binding, options: parsed }
}

/** Notes the servers that listen from now on, for a middleware that is made later. */
export function watchServers(): void {
  hub()
}

/**
 * Says that a server serves a scheduler, where it cannot be found out: custom servers, other frameworks.
 * The scheduler starts now, or when the server listens, and drains when it closes.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 * @example
 * attach(scheduler, http.createServer(handler).listen(3000))
 */
export function attach(scheduler: Scheduler, server: Server, options?: MiddlewareOptions): void {
  checkAttached(scheduler, server)
  const { binding } = bind(scheduler, options)
  binding.attach(server)
}
