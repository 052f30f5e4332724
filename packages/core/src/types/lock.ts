import type { Job, Run } from './job.ts'
import type { Outcome } from './outcome.ts'
import type { Maybe } from './values.ts'

/** Decides who in the fleet runs a tick, and keeps runs of one job from overlapping. */
export interface Lock {
  /**
   * Asks to run `run.key`. `exclusive`: whether no other run of the job may be under way.
   * Resolves in bounded time and does not reject: trouble is a refusal with `claim-unavailable`. After 30 s the
   * scheduler waits no longer; a claim that is granted later is completed as `skipped`.
   */
  claim(run: Run, options: { exclusive: boolean }): Maybe<Claim | Refusal>
  /**
   * How long a tick of the job is left to other instances, in ms after its instant (`at`, in ms): until then it costs
   * this one nothing. Asked when the tick is armed for soon or due, and again when that time is over. `now` is the
   * scheduler's time in ms, less the job's `spread`. Default 0. At most a minute from `now`; anything else counts as 0.
   */
  claimDelay?(job: Job, at: number, now: number): number
  /**
   * What is wrong with it now, in one line; undefined when nothing is. Shown by `scheduler.health()` as `degraded`.
   * A lock that has it writes its own lines when trouble begins and ends; for others the scheduler does.
   */
  trouble?(): string | undefined
  /** Runs `fn` while no other holder of `name` in the fleet does. `signal` aborts when the hold is lost. */
  exclusive?<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T>
}

/** The right to run one tick. */
export interface Claim {
  readonly granted: true
  /** Rises strictly from claim to claim of one job. Hand it to what you write to. */
  readonly fence?: number
  /** How often the tick was begun before, by instances that died. Default 0. */
  readonly restarts?: number
  /** True while no other instance can have taken over. Judged locally, on the monotonic clock. */
  held(): boolean
  /** Calls back once if the hold is lost. Returns its undo. */
  onLost(callback: (reason: Error) => void): () => void
  /**
   * Writes the end of the run. The claim itself stays, so that the tick is not run again. With `lease-lost` it is left to
   * whoever takes it over. The run's outcome is decided when it is called, whatever becomes of it; the run ends 5 s later
   * at the latest.
   */
  complete(outcome: Outcome): Promise<void>
  /**
   * Gives the tick back as if this claim had never been, since the handler was not called: another instance can claim it
   * at once, or take it over again. This start does not count.
   */
  release(): Promise<void>
}

export interface Refusal {
  readonly granted: false
  readonly reason: 'claimed-elsewhere' | 'claim-unavailable' | 'overlap'
  /** The instance that holds it, if known. */
  readonly by?: string
  readonly error?: Error
  /** The lock was reached and its answer is no: `onLockUnavailable: 'run'` does not apply. */
  readonly final?: boolean
}
