import type { Chain, Link } from '../compose.ts'
import type { ActiveRun } from '../run.ts'

/**
 * Keeps two runs of a job from overlapping in this process; across the fleet the lease of the claim does.
 * It comes before the claim: a tick that cannot run here needs no round trip.
 */
export const overlap: Link = (run, next) => {
  const { job } = run
  if (!job.holding) {
    job.holding = run
    return next(run)
  }
  const { overlap: policy } = job.policies
  if (policy === 'skip' || (policy === 'queue' && job.queued)) return run.end('skipped', 'overlap')
  if (policy === 'cancel-previous') {
    job.queued?.end('skipped', 'overlap')
    job.queued?.go(false)
    job.holding.cancel(`a newer run of ${job.name} has come`)
  }
  return queue(run, next)
}

async function queue(run: ActiveRun, next: Chain): Promise<unknown> {
  const { job } = run
  job.queued = run
  const passed = await run.wait()
  if (job.queued === run) job.queued = undefined
  if (passed) return next(run)
  if (run.aborted) throw run.aborted
  if (!run.outcome) run.end('skipped', 'shutdown')
}

/** The run has ended: its job is free, or the next in line's at once, so that no tick can come between. */
export function release(run: ActiveRun): void {
  const { job } = run
  if (job.holding !== run) return
  job.holding = job.queued
  job.queued?.go()
}
