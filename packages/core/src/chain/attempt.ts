import type { Engine } from '../engine/engine.ts'
import type { ActiveRun, Failure } from '../run/active-run.ts'
import { runs, scope } from '../run/context.ts'
import type { Maybe } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import type { Chain } from './compose.ts'
import { checkResult } from './handler.ts'

/**
 * The end of the chain: calls the handler in the context of its run.
 *
 * Once aborted, an attempt fails with the reason of the abort whatever the handler makes of it, and after the
 * engine's grace even if the handler never settles.
 */
export function attempt(engine: Engine): Chain {
  return (run) => {
    try {
      return attend(engine, run, call(run))
    } catch (error) {
      return attend(engine, run, Promise.reject(error))
    }
  }
}

/** The same where no link waits for the attempt: the engine sees to its end, without a promise in between. */
export const bareAttempt: Chain = (run) => {
  run.bare = true
  return call(run)
}

/** In a context of its own: what the handler enters for good is not seen by another attempt, run or listener. */
function call(run: ActiveRun): unknown {
  return scope().runInAsyncScope(enter, undefined, run)
}

function enter(run: ActiveRun): unknown {
  runs.enterWith(run)
  const { handler } = run.job
  const { executor } = run.job.policies
  return executor ? executor.execute(run, handler) : handler(run)
}

/** Joins what the handler began, and fails if it was aborted. Returns or throws at once where it can. */
export function leave(run: ActiveRun, failure?: Failure): Maybe<void> {
  if (run.trailing)
    return run.join(failure).then(
      () => leave(run),
      (error) => leave(run, { error }),
    )
  if (run.aborted) throw because(run.aborted, failure?.error)
  if (failure) throw failure.error
}

function attend(engine: Engine, run: ActiveRun, returned: unknown): unknown {
  if (!isPromise(returned) && !run.trailing && !run.aborted) {
    checkResult(run.job.name, returned)
    return returned
  }
  return new Promise((resolve, reject) => {
    run.giveUp = reject
    if (run.aborted) engine.patience(run)
    // Written out with few promises: each costs, the more where async hooks are on.
    const pass = (value: unknown) => {
      run.giveUp = undefined
      try {
        checkResult(run.job.name, value)
        resolve(value)
      } catch (error) {
        reject(error)
      }
    }
    const fail = (error: unknown) => {
      run.giveUp = undefined
      reject(error)
    }
    const end = (value: unknown, failure?: Failure) => {
      try {
        const left = leave(run, failure)
        if (left) left.then(() => pass(value), fail)
        else pass(value)
      } catch (error) {
        fail(error)
      }
    }
    Promise.resolve(returned).then(end, (error: unknown) => end(undefined, { error }))
  })
}

/** The reason of the abort, with what the handler threw on its way out. */
function because(reason: Error, error: unknown): Error {
  if (error !== reason && reason.cause === undefined) reason.cause = error
  return reason
}
