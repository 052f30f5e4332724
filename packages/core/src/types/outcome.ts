/** One nominal instant of one job. */
export interface Tick {
  /** `job@2026-11-20T01:00:00.000Z`; for an instant met again after the clock was set back, `…Z~2`. */
  readonly id: string
  readonly job: string
  readonly scheduledAt: Date
  /** How often the clock had been set back over the instant: 1 for `…Z~2`. Default 0. */
  readonly fold?: number
}

/** How a run ended. */
export type Outcome =
  | 'succeeded'
  | 'failed'
  | 'timed-out'
  | 'cancelled'
  | 'lease-lost'
  | 'abandoned'
  | 'missed'
  | 'skipped'

/** Where a run is on its way, its outcome at the end. */
export type State = 'due' | 'claimed' | 'running' | 'waiting-retry' | Outcome

/** Why a tick ended as `skipped`. `hook`: a plugin's hook returned without calling `next()`. */
export type SkipReason =
  | 'overlap'
  | 'paused'
  | 'blackout'
  | 'claimed-elsewhere'
  | 'claim-unavailable'
  | 'shutdown'
  | 'hook'

/** What made a run: its schedule, a request, a tick that was late, a claimer that died, or another job's run. */
export type Cause = 'schedule' | 'manual' | 'catch-up' | 'rerun' | 'after' | 'retry'
