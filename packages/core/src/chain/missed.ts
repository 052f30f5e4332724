import type { ActiveRun } from '../run/active-run.ts'
import type { RunParts } from '../run/snapshot.ts'
import type { Lock, Policies } from '../types/index.ts'
import type { Chain, Link } from './compose.ts'
import { concurrency } from './concurrency.ts'

/** A tick found later than this, in ms, is a catch-up: the loop was blocked, the machine asleep, the app down. */
export const LATE = 10_000

/** At most this many missed ticks ask the lock at once, so that ticks that can still run are not kept waiting. */
const MAX_ASKED_AT_ONCE = 200

/** Decides late ticks: run the newest, run all, or none. */
export const missed: Link = (run, next) => (lost(run) ? run.decide('missed') : next(run))

/** In a fleet, a tick that is too late here is missed only if no other instance has taken it. */
export function missedInFleet(lock: Lock, monotonic: () => number): Link {
  const few = concurrency(MAX_ASKED_AT_ONCE, monotonic)
  const decide: Chain = async (run) => {
    const answer = await lock.claim(run, { exclusive: false })
    if (!answer.granted && answer.reason === 'claimed-elsewhere') return run.decide('skipped', answer.reason)
    run.decide('missed')
    if (answer.granted) await answer.complete('missed')
  }
  return (run, next) => (lost(run) ? few(run, decide) : next(run))
}

function lost(run: ActiveRun): boolean {
  const request = run.lazyFields?.request
  if (request) return run.wall >= request.expires
  if (run.cause !== 'schedule' && run.cause !== 'catch-up') return false
  return isMissed(run.job.policies, run.late, run.parts)
}

/** Whether a tick that is this late, in ms, does not run. */
export function isMissed(
  { missed: policy, catchUpWindow }: Policies,
  late: number,
  parts: RunParts,
): boolean {
  if (parts.until) return true
  if (policy === 'all') return late > catchUpWindow
  return parts.superseded === true || late > (policy === 'skip' ? LATE : catchUpWindow)
}
