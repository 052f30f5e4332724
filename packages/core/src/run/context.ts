import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Run } from '../types/index.ts'

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

/**
 * A copy of the context we are in. What is entered in it by `enterWith()` stays in it: neither whoever made it nor the
 * next one sees it. Before Node 24 a context that is entered within a scope becomes the scope's own, so that each call
 * needs a scope of its own.
 */
export const scope = (): AsyncResource => new AsyncResource('escapement', MANUAL)

/** The same function, called in a copy of the context that it is called in. */
export function scoped<Arg, Result>(fn: (arg: Arg) => Result): (arg: Arg) => Result {
  return (arg) => scope().runInAsyncScope(fn, undefined, arg)
}

const MANUAL = { requireManualDestroy: true }
const outside = scope()
