import type { Server } from 'node:net'
import { EscapementError, type Scheduler } from '@escapement/core'
import type { Binding } from './binding.ts'
import { hub } from './hub.ts'
import { type MiddlewareOptions, type Options, parseOptions } from './options.ts'

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
  checkScheduler(scheduler)
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
  const { binding } = bind(scheduler, options)
  server.on('listening', () => binding.adopt(server, 'exact'))
  binding.adopt(server, 'exact')
}

// By its shape: it may come from another copy of core.
function checkScheduler(given: Scheduler): void {
  if (
    typeof given?.start === 'function' &&
    typeof given.stop === 'function' &&
    typeof given.run === 'function'
  )
    return
  throw new EscapementError(
    'ERR_ESCAPEMENT_OPTION',
    'middleware() takes the scheduler first: one made by createScheduler()',
  )
}
