import type { Link } from '../compose.ts'

/** A tick found later than this, in ms, is a catch-up: the loop was blocked, the machine asleep, the app down. */
export const LATE = 10_000

/** Decides late ticks: run the newest, run all, or none. */
export const missed: Link = (run, next) => {
  if (run.trigger !== 'schedule' && run.trigger !== 'catch-up') return next(run)
  const { missed: policy, catchUp } = run.job.policies
  const { late } = run
  const lost =
    policy === 'all' ? late > catchUp : run.superseded || late > (policy === 'skip' ? LATE : catchUp)
  if (lost || run.until) return run.end('missed')
  return next(run)
}
