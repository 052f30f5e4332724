import { EscapementError } from '../errors.ts'
import type { Troubles } from '../log/trouble.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { Calendar } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import type { Link } from './compose.ts'

/** Skips the ticks of a paused job and those in its blackout. A request for a run overrides both. */
export function paused(troubles: Troubles): Link {
  return (run, next) => {
    if (run.requested) return next(run)
    const { paused: pause, policies } = run.job
    if (pause && !(pause.until && pause.until.getTime() <= run.at)) return run.decide('skipped', 'paused')
    const { blackout } = policies
    if (blackout && isWithin(blackout, run, troubles)) return run.decide('skipped', 'blackout')
    return next(run)
  }
}

/** A blackout that cannot say is reported once, and its ticks run. */
function isWithin(blackout: Calendar, { job, at }: ActiveRun, troubles: Troubles): boolean {
  const what = `blackout of ${job.name}`
  try {
    const answer: unknown = blackout.includes(new Date(at))
    if (isPromise(answer)) {
      Promise.resolve(answer).catch(() => {})
      throw new EscapementError('ERR_ESCAPEMENT_OPTION', 'it must answer at once, but gave a promise')
    }
    troubles.works(what)
    return Boolean(answer)
  } catch (error) {
    troubles.fail(what, error, 'ticks run as if there were none')
    return false
  }
}
