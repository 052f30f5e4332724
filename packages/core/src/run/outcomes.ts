import type { Cause, Outcome, SkipReason, State } from '../types/index.ts'

/** All outcomes there are. */
export const OUTCOMES: readonly Outcome[] = [
  'succeeded',
  'failed',
  'timed-out',
  'cancelled',
  'lease-lost',
  'abandoned',
  'missed',
  'skipped',
]

export const STATES: readonly State[] = ['due', 'claimed', 'running', 'waiting-retry', ...OUTCOMES]

/** Whether a run in this state has ended. */
export function hasEnded(state: State): boolean {
  return (OUTCOMES as readonly State[]).includes(state)
}

export const CAUSES: readonly Cause[] = ['schedule', 'manual', 'catch-up', 'rerun', 'after', 'retry']

export const SKIP_REASONS: readonly SkipReason[] = [
  'overlap',
  'paused',
  'blackout',
  'claimed-elsewhere',
  'claim-unavailable',
  'shutdown',
  'hook',
]
