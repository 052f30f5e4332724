import type { ActiveRun, Failure } from '../run/active-run.ts'
import type { Claim, Lock, Refusal } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import type { Chain, Link } from './compose.ts'

/** Asks the fleet for the tick. A rerun brings its claim along. */
export function claim(lock: Lock, monotonic: () => number): Link {
  return (run, next) => {
    if (run.claim) return hold(run, run.claim, next)
    const asked = monotonic()
    const answer = lock.claim(run, { lease: run.job.policies.overlap !== 'allow' })
    if (!isPromise(answer)) return decide(run, answer, next)
    return answer.then((later) => {
      run.touch.claimedIn = monotonic() - asked
      return decide(run, later, next)
    })
  }
}

function decide(run: ActiveRun, answer: Claim | Refusal, next: Chain): unknown {
  if (answer.granted) {
    run.claim = answer
    return hold(run, answer, next)
  }
  const { reason, error } = answer
  if (!answer.final && reason === 'claim-unavailable' && run.job.policies.onClaimError !== 'skip')
    return next(run)
  if (error) run.fail(error)
  run.end('skipped', reason)
}

async function hold(run: ActiveRun, claim: Claim, next: Chain): Promise<unknown> {
  if (run.state === 'due') run.state = 'claimed'
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
  const outcome = run.judge(failure)
  run.touch.ending = { outcome, result, failure }
  await claim.finish(outcome)
  if (failure) throw failure.error
  return result
}
