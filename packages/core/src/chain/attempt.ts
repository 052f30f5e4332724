import type { ActiveRun } from '../run/active-run.ts'
import { runs, scope } from '../run/context.ts'
import type { Failure } from '../run/failure.ts'
import type { Maybe } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import { checkResult } from './handler.ts'

/**
 * The end of the chain: calls the handler in the context of its run.
 *
 * Once aborted, an attempt fails with the reason of the abort whatever the handler makes of it, and after the
 * grace even if the handler never settles.
 */
export function attempt(run: ActiveRun): unknown {
  try {
    // In a context of its own: what the handler enters for good is not seen by another attempt, run or listener.
    return attend(run, scope().runInAsyncScope(enter, undefined, run))
  } catch (error) {
    return attend(run, Promise.reject(error))
  }
}

function enter(run: ActiveRun): unknown {
  runs.enterWith(run)
  const { handler, policies } = run.job
  return policies.executor ? policies.executor.execute(run, handler) : handler(run)
}

function attend(run: ActiveRun, returned: unknown): unknown {
  if (!isPromise(returned) && !run.hasTasks && !run.aborted) {
    checkResult(run.job.name, returned)
    return returned
  }
  return new Promise((resolve, reject) => {
    run.forceEnd = reject
    if (run.aborted) run.environment.abortGrace.begin(run)
    // Written out with few promises: each costs, the more where async hooks are on.
    const pass = (value: unknown) => {
      run.forceEnd = undefined
      try {
        checkResult(run.job.name, value)
        resolve(value)
      } catch (error) {
        reject(error)
      }
    }
    const fail = (error: unknown) => {
      run.forceEnd = undefined
      reject(error)
    }
    const end = (value: unknown, failure?: Failure) => {
      try {
        const finished = finish(run, failure)
        if (finished) finished.then(() => pass(value), fail)
        else pass(value)
      } catch (error) {
        fail(error)
      }
    }
    Promise.resolve(returned).then(end, (error: unknown) => end(undefined, { error }))
  })
}

/** Joins what the handler began, and fails if it was aborted. Returns or throws at once where it can. */
function finish(run: ActiveRun, failure?: Failure): Maybe<void> {
  if (run.hasTasks) {
    return run.joinTasks(failure).then(
      () => finish(run),
      (error) => finish(run, { error }),
    )
  }
  if (run.aborted) throw becauseOf(run.aborted, failure?.error)
  if (failure) throw failure.error
}

/** The reason of the abort, with what the handler threw on its way out. */
function becauseOf(reason: Error, error: unknown): Error {
  if (error !== reason && reason.cause === undefined) reason.cause = error
  return reason
}
