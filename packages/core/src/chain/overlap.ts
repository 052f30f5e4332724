import type { ActiveRun } from '../run/active-run.ts'
import type { OverlapLane } from '../run/runnable-job.ts'
import type { Chain, Link } from './compose.ts'

/**
 * Keeps two runs of a job from overlapping in this process; across the fleet the lease of the claim does.
 * It comes before the claim: a tick that cannot run here needs no round trip.
 *
 * @param inFlightRun The run in flight that has this serial number.
 */
export function overlap(inFlightRun: (serial: number) => ActiveRun | undefined): Link {
  return (run, next) => {
    const lane: OverlapLane = run.job
    if (lane.holding < 0) {
      acquire(run, lane)
      return next(run)
    }
    const { overlap: policy } = run.job.policies
    if (policy === 'skip' || (policy === 'queue' && lane.queued)) return run.decide('skipped', 'overlap')
    if (policy === 'cancel-previous') {
      lane.queued?.decide('skipped', 'overlap')
      lane.queued?.dismiss()
      inFlightRun(lane.holding)?.cancel(`a newer run of ${run.job.name} has come`)
    }
    return queue(run, lane, next)
  }
}

function acquire(run: ActiveRun, lane: OverlapLane): void {
  lane.holding = run.serial
  run.onSeal = release
}

async function queue(run: ActiveRun, lane: OverlapLane, next: Chain): Promise<unknown> {
  lane.queued = run
  const passed = await run.wait()
  if (lane.queued === run) lane.queued = undefined
  if (passed) return next(run)
  if (run.aborted) throw run.aborted
  if (!run.outcome) run.decide('skipped', 'shutdown')
}

/** Frees the job, or hands it to the queued run in the same turn, so that no other tick can come between. */
function release(run: ActiveRun): void {
  const lane: OverlapLane = run.job
  const { queued } = lane
  lane.holding = -1
  if (!queued) return
  acquire(queued as ActiveRun, lane)
  queued.proceed()
}
