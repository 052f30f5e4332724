import { AsyncLocalStorage } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import { EscapementError, show } from '../errors.ts'
import type { Lock, Maybe } from '../types/index.ts'
import { unlessAborted } from '../util/time.ts'
import { fail } from '../util/validate.ts'
import { detached } from './context.ts'

/** Named mutual exclusion within a process: first come, first served. */
export class Mutexes {
  #tails = new Map<string, Promise<void>>()

  /** Runs `fn` when all earlier holders of `name` are done. An aborted signal ends the wait. */
  async exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal: AbortSignal): Promise<T> {
    const before = this.#tails.get(name)
    const { promise, resolve: release } = settleable()
    // A waiter that gives up must still keep its successors behind its predecessors.
    const tail = before ? Promise.all([before, promise]).then(() => {}) : promise
    this.#tails.set(name, tail)
    try {
      if (before) await unlessAborted(before, signal)
      signal.throwIfAborted()
      return await fn(signal)
    } finally {
      release()
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
  }
}

/**
 * Asks the lock outside of the run's context, so that its renewals are no part of the run's trace. `fn`, and
 * who listens to its signal, are called inside of it.
 */
export function exclusiveOutsideRunContext<T>(
  exclusive: NonNullable<Lock['exclusive']>,
  name: string,
  fn: (signal: AbortSignal) => Maybe<T>,
  signal: AbortSignal,
): Promise<T> {
  const inContext = AsyncLocalStorage.snapshot()
  const within = (lost: AbortSignal) =>
    inContext(() => {
      const controller = new AbortController()
      setMaxListeners(0, controller.signal)
      const pass = () => inContext(() => controller.abort(lost.reason))
      lost.addEventListener('abort', pass, { once: true })
      if (lost.aborted) pass()
      return fn(controller.signal)
    })
  return detached(() => exclusive(name, within, signal))
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function checkExclusive(name: unknown, fn: unknown, signal?: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    fail('the signal of exclusive()', 'an AbortSignal', signal)
  if (typeof name !== 'string' || name === '' || typeof fn !== 'function') {
    throw new EscapementError(
      'ERR_ESCAPEMENT_OPTION',
      `exclusive(name, fn) needs a name and a function, but got ${show(name)} and ${show(fn)}`,
    )
  }
}

function settleable(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
