/** A tick that was started somewhere and did not come to an end there. */
export interface LostTick {
  readonly job: string
  /** The tick's id, or the run's for one that was asked for. */
  readonly tick: string
  /** Undefined for a run that was asked for. */
  readonly scheduledAt: Date | undefined
  /** The instance that had started it, if known. */
  readonly by: string | undefined
  /** How often it had been started. */
  readonly starts: number
}

/** A run whose tick was taken over: what it wrote last may have to be refused by its fence. */
export interface FencedRun {
  readonly job: string
  readonly tick: string
  readonly fence: number
  /** The instance that took over. */
  readonly by: string
}

export interface ClockSkew {
  /** Redis's wall clock minus this machine's, in ms. */
  readonly skew: number
  /** The Redis whose clock was set, if it was that. */
  readonly node?: string
}

declare module '@escapement/core' {
  interface EventMap {
    /** A tick was refused because another instance has it. Comes before `skipped`. */
    'claimed-elsewhere': [run: import('@escapement/core').Run, info: { by: string | undefined }]
    /** A tick could not be claimed: Redis is down, distrusted, or the tick too late. Comes before `skipped`. */
    'claim-unavailable': [run: import('@escapement/core').Run, info: { error: Error }]
    /** An instance died in a run, and it is not run again. Told by one instance of the fleet. */
    'tick-lost': [lost: LostTick]
    /** A run of this instance was found taken over by another when it ended or renewed its lease. */
    fenced: [run: FencedRun]
    /** This machine's clock and Redis's differ by more than a second, or Redis's was set. */
    'clock-skew': [skew: ClockSkew]
  }
}
