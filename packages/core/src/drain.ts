import { isPromise } from './compose.ts'
import { formatDuration } from './duration.ts'
import type { Engine } from './engine.ts'
import { EscapementError } from './errors.ts'
import type { Clock, Maybe } from './interfaces.ts'

/**
 * Waits for the runs under way, then aborts them. False if one had to be aborted.
 *
 * @param grace How long they may take, in ms.
 */
export async function drain(engine: Engine, grace: number): Promise<boolean> {
  const reason = () => new EscapementError('ERR_ESCAPEMENT_CANCELLED', 'the scheduler was stopped')
  for (const run of [...engine.inFlight]) {
    if (run.state === 'waiting-retry') run.abort(reason())
    else run.go(false)
  }
  if (await within(engine.clock, engine.idle(), grace)) return true
  for (const run of [...engine.inFlight]) run.abort(reason())
  // The attempts end by themselves after the abort grace; what is left then hangs in a hook.
  await within(engine.clock, engine.idle(), engine.abortGrace + 1000)
  for (const run of [...engine.inFlight]) engine.giveUp(run)
  return false
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
export async function answer<T>(clock: Clock, asked: Maybe<T>, ms: number, what: string): Promise<T> {
  if (isPromise(asked) && !(await within(clock, asked, ms))) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_UNAVAILABLE',
      `${what} has not answered within ${formatDuration(ms)}`,
    )
  }
  return asked
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
