import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Run } from './interfaces.ts'

// Shared by all copies of the package in a process, so that currentRun() finds a run of any of them.
const key = Symbol.for('escapement.run')
const shared = globalThis as { [key]?: AsyncLocalStorage<Run> }
shared[key] ??= new AsyncLocalStorage<Run>()

export const runs: AsyncLocalStorage<Run> = shared[key]

/**
 * The run whose handler we are in, also across awaits and timers; undefined outside of handlers.
 *
 * @example
 * export function audit(what: string) { db.insert({ what, by: currentRun()?.id ?? 'request' }) }
 */
export function currentRun(): Run | undefined {
  return runs.getStore()
}

/**
 * Calls a function in the context this module was loaded in: outside of any request or run. Timers armed
 * in it neither carry a request's context into a job nor keep the request from being collected.
 */
export function detached<T>(fn: () => T): T {
  return outside.runInAsyncScope(scope).runInAsyncScope(fn)
}

// A scope for each call: before Node 24 a context that is entered within a scope becomes the scope's own. In a
// shared one, a call within a call, or any call after an enterWith(), would be in that context.
const scope = () => new AsyncResource('escapement', { requireManualDestroy: true })
const outside = scope()
