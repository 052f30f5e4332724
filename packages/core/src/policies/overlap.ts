import { type Link, settled } from '../compose.ts'
import type { ActiveRun } from '../run.ts'

/**
 * Keeps two runs of a job from overlapping in this process; across the fleet the lease of the claim does.
 * It comes before the claim: a tick that cannot run here needs no round trip.
 */
export const overlap: Link = (run, next) => {
  const { job } = run
  const { overlap: policy } = job.policies
  if (!job.holding) return hold(run, next)
  if (policy === 'skip' || (policy === 'queue' && job.queued)) return run.end('skipped', 'overlap')
  if (policy === 'cancel-previous') {
    job.queued?.end('skipped', 'overlap')
    job.queued?.go(false)
    job.holding.cancel(`a newer run of ${job.name} has come`)
  }
  return queue(run, next)
}

async function queue(run: ActiveRun, next: () => unknown): Promise<unknown> {
  const { job } = run
  job.queued = run
  const passed = await run.wait()
  if (job.queued === run) job.queued = undefined
  if (passed) return hold(run, next)
  if (run.aborted) throw run.aborted
  if (!run.outcome) run.end('skipped', 'shutdown')
}

function hold(run: ActiveRun, next: () => unknown): unknown {
  const { job } = run
  job.holding = run
  return settled(next, () => {
    // Handed over at once, so that no tick can come between.
    job.holding = job.queued
    job.queued?.go()
  })
}
