import type { Outcome, SkipReason, State } from '../types/index.ts'

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

export const SKIP_REASONS: readonly SkipReason[] = [
  'overlap',
  'paused',
  'blackout',
  'claimed-elsewhere',
  'claim-unavailable',
  'shutdown',
  'hook',
]
