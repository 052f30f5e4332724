import type { Chain, Link } from '../compose.ts'
import type { Lock } from '../interfaces.ts'
import type { ActiveRun } from '../run.ts'

/** Asks the fleet for the tick. A rerun brings its claim along. */
export function claim(lock: Lock, monotonic: () => number): Link {
  return async (run, next) => {
    const { overlap, onClaimError } = run.job.policies
    if (!run.claim) {
      const asked = monotonic()
      const answer = await lock.claim(run, { lease: overlap !== 'allow' })
      run.touch.claimedIn = monotonic() - asked
      if (answer.granted) run.claim = answer
      else if (answer.final || answer.reason !== 'claim-unavailable' || onClaimError === 'skip') {
        if (answer.error) run.fail(answer.error)
        return run.end('skipped', answer.reason)
      }
    }
    return run.claim ? hold(run, run.claim, next) : next(run)
  }
}

async function hold(run: ActiveRun, claim: NonNullable<ActiveRun['claim']>, next: Chain): Promise<unknown> {
  if (run.state === 'due') run.state = 'claimed'
  const undo = claim.onLost((reason) => run.abort(reason))
  try {
    const result = await next(run)
    await claim.finish(run.judge())
    return result
  } catch (error) {
    await claim.finish(run.judge({ error }))
    throw error
  } finally {
    undo()
  }
}
