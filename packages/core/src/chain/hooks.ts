import { EscapementError } from '../errors.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { Hook, Maybe } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import { asPromise, type Link } from './compose.ts'

type Report = (error: unknown, run: ActiveRun) => void

/** What is known of one call of a hook. */
interface Call {
  /** It has called `next()`. */
  called: boolean
  /** What the rest of the chain returned. */
  inner: unknown
}

/**
 * Makes a link of a plugin's hook that cannot harm the run: what it throws by itself is reported and the run
 * goes on; what it swallows stays the run's outcome; a second `next()` is rejected. Returning without `next()`
 * skips the run.
 */
export function guard(hook: Hook, report: Report): Link {
  return (run, next) => {
    const call: Call = { called: false, inner: undefined }
    const enter = (): Maybe<void> => {
      if (call.called) {
        throw new EscapementError('ERR_ESCAPEMENT_NEXT_TWICE', 'next() was called twice by a hook')
      }
      call.called = true
      try {
        const inner = next(run)
        call.inner = isPromise(inner) ? asPromise(inner) : inner
      } catch (error) {
        call.inner = Promise.reject(error)
      }
      return call.inner as Maybe<void>
    }
    const done = () => {
      if (!call.called) run.decide('skipped', 'hook')
      return call.inner
    }
    const fail = (error: unknown) => {
      if (call.called) return afterFault(call.inner, error, () => report(error, run))
      report(error, run)
      return enter()
    }
    try {
      const returned = hook(run, enter)
      // Nothing of its own comes after the rest of the chain.
      if (call.called && returned === call.inner) return call.inner
      return isPromise(returned) ? returned.then(done, fail) : done()
    } catch (error) {
      return fail(error)
    }
  }
}

/** Ends as the rest of the chain does. The hook's own error is reported; the one of the rest was only passed on. */
function afterFault(inner: unknown, error: unknown, report: () => void): Promise<unknown> {
  return Promise.resolve(inner).then(report, (own) => {
    if (own !== error) report()
    throw own
  })
}
