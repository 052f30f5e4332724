/**
 * What a database must do for a fleet. The words:
 *
 * - **Owner**: one life of one process, from its first heartbeat until one is missed. A row of `instances`.
 * - **Claim**: who runs a tick. A row of `claims`; it stays when the run has ended. Its token names the run.
 * - **Orphan**: a claim in state `run` whose owner is not there any more.
 *
 * Each function is one transaction. It may reject at any time; whether it took effect is then not known.
 */
import type { Cause, Maybe } from '@escapement/core'

/** What is asked for: a tick, a requested run, or (`job` begins with `MUTEX`) a named mutex. */
export interface ClaimRequest {
  readonly key: string
  readonly job: string
  /** ms */
  readonly at: number
  readonly trigger: string
  readonly token: string
  /** No other claim of the job may be leased. */
  readonly leased: boolean
  readonly rerun: boolean
  readonly instance: string
  readonly owner: string
}

export type ClaimReply =
  | { readonly fence: number }
  /** `dead`: its owner is not there any more. */
  | { readonly reason: 'claimed-elsewhere' | 'overlap'; readonly by: string; readonly dead: boolean }
  /** The owner that asks was declared dead. */
  | { readonly reason: 'not-alive' }

/** A claim as it is kept. */
export interface ClaimRow {
  readonly key: string
  readonly job: string
  /** ms */
  readonly at: number
  readonly trigger: string
  readonly token: string
  readonly start: number
  readonly fence: number | undefined
  readonly rerun: boolean
  readonly instance: string
  /** `''`: it was handed over. */
  readonly owner: string
}

/** What names a claim of one life of an instance. */
export type OwnClaim = Pick<ClaimRow, 'token' | 'owner'>

/** A run whose end was written for an owner that died. */
export interface ClosedRun {
  readonly id: string
  readonly key: string
  readonly job: string
  /** ms */
  readonly at: number
  readonly trigger: Cause
  readonly start: number
  readonly instance: string
  readonly fence: number | undefined
}

/** How a run has ended. */
export interface End {
  readonly key: string
  readonly token: string
  readonly outcome: string
}

/** The instance that takes an orphan over. */
export interface Successor {
  readonly token: string
  readonly instance: string
  readonly owner: string
}

/** Begins the `job` of a mutex: no name of a job holds a control character. */
export const MUTEX = '\u0001'

export interface Backend {
  /** For log lines, e.g. `'postgres'`. */
  readonly name: string

  /** Begins a life. What `before` held is given up: others may take it over at once. */
  enlist(owner: string, instance: string, before: string | undefined): Maybe<void>
  /** Writes a heartbeat. False: the owner was declared dead. */
  heartbeat(owner: string): Maybe<boolean>
  /** Ends a life: what is left of it may be taken over at once. */
  leave(owner: string): Maybe<void>
  /** Declares owners dead whose heartbeat is too old. The names of their instances, as far as they are known. */
  declareDead(self: string | undefined): Maybe<readonly string[]>

  /** Decides claims, in their order. */
  claim(requests: readonly ClaimRequest[]): Maybe<readonly ClaimReply[]>
  /** Writes the ends of runs whose claims are still their own. */
  complete(ends: readonly End[]): Maybe<void>
  /** Leaves a claim to be taken over at once. */
  handOver(key: string, token: string): Maybe<void>
  /** Leaves a claim as if it had not been taken over: its new run could not begin here. */
  returnClaim(key: string, token: string): Maybe<void>
  /**
   * Removes claims of these owners that are in state `run`, as if they had never been. Not those of others: the run of a request
   * has one token on all instances.
   */
  deleteClaims(claims: readonly OwnClaim[]): Maybe<void>
  /** The claims in state `run` of an owner. */
  claimsOf(owner: string): Maybe<readonly ClaimRow[]>

  /** Orphans in the order of their keys, from behind `after` (`''` from the beginning). */
  orphans(after: string, limit: number): Maybe<readonly ClaimRow[]>
  /** Gives an orphan to a new start, and closes the run that was under way; the fence. Undefined: somebody was faster. */
  takeOver(orphan: ClaimRow, by: Successor): Maybe<number | undefined>
  /** Ends orphans and closes their runs. The keys of those that nobody had ended before. `by` is kept with them. */
  markAbandoned(orphans: readonly ClaimRow[], by: string): Maybe<readonly string[]>
  /** Of these orphans, the keys of those that were ended with this `by`. */
  markedBy(by: string, keys: readonly string[]): Maybe<readonly string[]>
  /** Closes the runs that dead owners left open without a claim; those that count as abandoned. */
  closeRuns(): Maybe<readonly ClosedRun[]>
}
