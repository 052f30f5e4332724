import type { ActiveRun } from '../run/active-run.ts'
import type { Chain, Link } from './compose.ts'

/**
 * Keeps two runs of a job from overlapping in this process; across the fleet the lease of the claim does.
 * It comes before the claim: a tick that cannot run here needs no round trip.
 */
export const overlap: Link = (run, next) => {
  const { job } = run
  if (job.holding < 0) {
    job.holding = run.serial
    return next(run)
  }
  const { overlap: policy } = job.policies
  if (policy === 'skip' || (policy === 'queue' && job.queued)) return run.end('skipped', 'overlap')
  if (policy === 'cancel-previous') {
    job.queued?.end('skipped', 'overlap')
    job.queued?.go(false)
    const { holding, name } = job
    const previous = run.engine.inFlight.find(({ serial }) => serial === holding)
    previous?.cancel(`a newer run of ${name} has come`)
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
  if (job.holding !== run.serial) return
  job.holding = job.queued?.serial ?? -1
  job.queued?.go()
}
