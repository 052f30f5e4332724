import { EscapementError } from '../errors.ts'
import type { Clock } from '../types/index.ts'
import { type Link, withFinally } from './compose.ts'

/** Aborts an attempt that takes too long. */
export function timeout(clock: Clock): Link {
  return (run, next) => {
    const limit = run.job.policies.timeout as number
    const timer = clock.setTimeout(() => {
      const message = `${run.job.name} took longer than its timeout of ${limit} ms`
      run.abortAttempt(new EscapementError('ERR_ESCAPEMENT_TIMEOUT', message))
    }, limit)
    return withFinally(run, next, () => clock.clearTimeout(timer))
  }
}
