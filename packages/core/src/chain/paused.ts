import { EscapementError } from '../errors.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { Calendar } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import type { Link } from './compose.ts'

/** Skips the ticks of a paused job and those in its blackout. A request for a run overrides both. */
export const paused: Link = (run, next) => {
  if (run.trigger === 'manual') return next(run)
  if (run.job.paused) return run.end('skipped', 'paused')
  const { blackout } = run.job.policies
  if (blackout && within(blackout, run)) return run.end('skipped', 'blackout')
  return next(run)
}

/** A blackout that cannot say is told once, and its ticks run. */
function within(blackout: Calendar, { engine, job, at }: ActiveRun): boolean {
  const what = `blackout of ${job.name}`
  try {
    const answer: unknown = blackout.includes(new Date(at))
    if (isPromise(answer)) {
      Promise.resolve(answer).catch(() => {})
      throw new EscapementError('ERR_ESCAPEMENT_OPTION', 'it must answer at once, but gave a promise')
    }
    engine.troubles.works(what)
    return Boolean(answer)
  } catch (error) {
    engine.troubles.fail(what, error, 'ticks run as if there were none')
    return false
  }
}
