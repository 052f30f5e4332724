import { EscapementError, show } from './errors.ts'
import type { Maybe } from './interfaces.ts'

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
      if (before) await Promise.race([before, aborted(signal)])
      signal.throwIfAborted()
      return await fn(signal)
    } finally {
      release()
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
  }
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function checkExclusive(name: unknown, fn: unknown): void {
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

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
  })
}
