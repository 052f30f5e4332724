import type { Job, Run } from '@escapement/core'

/** What is known of the jobs of one name at any time, in seconds since the epoch; 0 for never. */
export interface JobState {
  readonly name: string
  /** Several when several schedulers have a job of this name. */
  readonly jobs: Set<Job>
  failures: number
  lastSuccess: number
  lastFailure: number
  /** The newest tick that ought to have run somewhere, and the newest that was started here. */
  lastDue: number
  lastStart: number
  /** Under way, the oldest first. */
  readonly running: Set<Run>
}

export function newState(name: string): JobState {
  return {
    name,
    jobs: new Set(),
    failures: 0,
    lastSuccess: 0,
    lastFailure: 0,
    lastDue: 0,
    lastStart: 0,
    running: new Set(),
  }
}

/** A run has begun. */
export function began(state: JobState, run: Run): void {
  state.running.add(run)
  if (run.requested) return
  const at = run.tick.scheduledAt.getTime() / 1000
  state.lastDue = Math.max(state.lastDue, at)
  state.lastStart = Math.max(state.lastStart, at)
}

/** A run has its outcome, or a tick was decided without one. */
export function ended(state: JobState, run: Run): void {
  state.running.delete(run)
  const now = (run.endedAt as Date).getTime() / 1000
  switch (run.outcome) {
    case 'succeeded':
      state.failures = 0
      state.lastSuccess = now
      break
    case 'failed':
    case 'timed-out':
    case 'lease-lost':
    case 'abandoned':
      state.failures++
      state.lastFailure = now
  }
  if (run.requested || !ought(run)) return
  state.lastDue = Math.max(state.lastDue, (run.until ?? run.tick.scheduledAt).getTime() / 1000)
}

/** False for ticks that were left out on purpose: of a paused job, in a blackout, under a run before. */
function ought({ outcome, reason }: Run): boolean {
  return outcome !== 'skipped' || reason === 'claimed-elsewhere' || reason === 'claim-unavailable'
}
