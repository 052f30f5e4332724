import { EscapementError } from '../errors.ts'
import type { Clock, Maybe } from '../types/index.ts'
import { formatDuration } from './duration.ts'
import { isPromise } from './promise.ts'

/** The longest time a timer can wait. Longer ones would fire at once. */
export const MAX_TIMER: number = 2 ** 31 - 1

/** Waits; the process is kept for so long. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, Math.max(0, ms)))
}

/** True when the promise settles within `ms`. */
export async function within(clock: Clock, promise: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve(false), Math.max(0, ms))
    const settled = () => {
      clock.clearTimeout(timer)
      resolve(true)
    }
    promise.then(settled, settled)
  })
}

/**
 * What a port answers, if it does so within `ms`.
 *
 * @param what What was asked, for the message.
 * @throws ERR_ESCAPEMENT_UNAVAILABLE
 */
export function answer<T>(clock: Clock, asked: Maybe<T>, ms: number, what: string): Promise<T> {
  if (!isPromise(asked)) return Promise.resolve(asked)
  // Written out with few promises: claims and ends of runs come this way.
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      const message = `${what} has not answered within ${formatDuration(ms)}`
      reject(new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message))
    }, ms)
    asked.then(
      (value) => {
        clock.clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clock.clearTimeout(timer)
        reject(error)
      },
    )
  })
}

/** As the promise, but rejects at once when the signal is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
