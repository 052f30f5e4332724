import type { Link } from '../compose.ts'

/** Skips the ticks of a paused job and those in its blackout. A request for a run overrides both. */
export const paused: Link = (run, next) => {
  if (run.trigger === 'manual') return next(run)
  if (run.job.paused) return run.end('skipped', 'paused')
  if (run.job.policies.blackout?.includes(new Date(run.at))) return run.end('skipped', 'blackout')
  return next(run)
}
