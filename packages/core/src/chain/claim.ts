import type { ActiveRun } from '../run/active-run.ts'
import type { Failure } from '../run/failure.ts'
import type { Claim, Lock, Refusal } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import type { Chain, Link } from './compose.ts'

/** Asks the fleet for the tick, and writes the end of the run under the claim. A rerun brings its claim along. */
export function claim(lock: Lock, monotonic: () => number): Link {
  return (run, next) => {
    if (run.claim) return complete(run, run.claim, next)
    const asked = monotonic()
    const answer = lock.claim(run, { exclusive: run.job.policies.overlap !== 'allow' })
    if (!isPromise(answer)) return judge(run, answer, next)
    return answer.then((later) => {
      run.lazy.claimedIn = monotonic() - asked
      return judge(run, later, next)
    })
  }
}

function judge(run: ActiveRun, answer: Claim | Refusal, next: Chain): unknown {
  if (answer.granted) return complete(run, answer, next)
  const { reason, error } = answer
  if (!answer.final && reason === 'claim-unavailable' && run.job.policies.onLockUnavailable !== 'skip')
    return next(run)
  if (error) run.recordFailure(error)
  run.decide('skipped', reason)
}

async function complete(run: ActiveRun, claim: Claim, next: Chain): Promise<unknown> {
  run.takeClaim(claim)
  const undo = claim.onLost((reason) => run.abort(reason))
  let result: unknown
  let failure: Failure | undefined
  try {
    result = await next(run)
  } catch (error) {
    failure = { error }
  }
  undo()
  // Decided: what becomes of the claim changes it no more.
  await claim.complete(run.conclude(result, failure))
  if (failure) throw failure.error
  return result
}
