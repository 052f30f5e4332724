import { EscapementError } from '../errors.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { Hook, Maybe } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import type { Link } from './compose.ts'

/**
 * Makes a link of a plugin's hook that cannot harm the run: what it throws by itself is reported and the run
 * goes on; what it swallows stays the run's outcome; a second `next()` is rejected. Returning without `next()`
 * skips the run.
 */
export function guard(hook: Hook, report: (error: unknown, run: ActiveRun) => void): Link {
  return (run, next) => {
    let inner: unknown
    let called = false
    const enter = (): Maybe<void> => {
      if (called) {
        throw new EscapementError('ERR_ESCAPEMENT_NEXT_TWICE', 'next() was called twice by a hook')
      }
      called = true
      try {
        inner = next(run)
      } catch (error) {
        inner = Promise.reject(error)
      }
      return inner as Maybe<void>
    }
    const done = () => {
      if (!called) run.decide('skipped', 'hook')
      return inner
    }
    const fault = (error: unknown) => {
      if (!called) {
        report(error, run)
        return enter()
      }
      return Promise.resolve(inner).then(
        () => report(error, run),
        (own) => {
          if (own !== error) report(error, run)
          throw own
        },
      )
    }
    try {
      const returned = hook(run, enter)
      // Nothing of its own comes after the rest of the chain.
      if (called && returned === inner) return inner
      return isPromise(returned) ? returned.then(done, fault) : done()
    } catch (error) {
      return fault(error)
    }
  }
}
