import { EscapementError, show } from '../errors.ts'
import type { Troubles } from '../log/trouble.ts'
import type { Claim, Clock, Outcome } from '../types/index.ts'
import { describe, isError } from '../util/describe.ts'
import { isPromise } from '../util/promise.ts'
import { answer } from '../util/time.ts'

/** How long the end of a run waits until it is written, in ms. */
export const END_TIMEOUT_MS = 5_000

const COMPLETE = 'lock.complete'
const NOT_WRITTEN = 'runs keep their outcome, but other instances may not learn of it'

/** A claim that never throws, and whose end is waited for a limited time. */
export class GuardedClaim implements Claim {
  readonly granted = true
  readonly fence: number | undefined
  readonly restarts: number | undefined
  readonly #claim: Claim
  readonly #clock: Clock
  readonly #troubles: Troubles

  constructor(claim: Claim, clock: Clock, troubles: Troubles) {
    this.fence = claim.fence
    this.restarts = claim.restarts
    this.#claim = claim
    this.#clock = clock
    this.#troubles = troubles
  }

  held(): boolean {
    try {
      return this.#claim.held() === true
    } catch (error) {
      this.#troubles.fail('lock.held', error, 'the lease counts as lost')
      return false
    }
  }

  onLost(callback: (reason: Error) => void): () => void {
    try {
      const undo: unknown = this.#claim.onLost((reason) => callback(lost(reason)))
      return () => this.#undo(undo)
    } catch (error) {
      this.#troubles.fail('lock.onLost', error, 'runs are not told when their lease is lost')
      return () => {}
    }
  }

  complete(outcome: Outcome): Promise<void> {
    return this.#end('complete', () => this.#claim.complete(outcome))
  }

  release(): Promise<void> {
    return this.#end('release', () => this.#claim.release())
  }

  async #end(method: 'complete' | 'release', end: () => unknown): Promise<void> {
    try {
      const ended = end()
      if (isPromise(ended)) await answer(this.#clock, ended, END_TIMEOUT_MS, `claim.${method}()`)
      this.#troubles.works(COMPLETE)
    } catch (error) {
      this.#troubles.fail(COMPLETE, error, NOT_WRITTEN)
    }
  }

  #undo(undo: unknown): void {
    try {
      if (typeof undo === 'function') undo()
    } catch (error) {
      this.#troubles.fail('lock.onLost', error, 'nothing else is harmed')
    }
  }
}

/** A reason that ends the run as `lease-lost`, whatever the lock has given. */
function lost(reason: unknown): Error {
  if (isError(reason) && describe(reason).code === 'ERR_ESCAPEMENT_LEASE_LOST') return reason
  return new EscapementError('ERR_ESCAPEMENT_LEASE_LOST', `the lease was lost: ${show(reason)}`, {
    cause: reason,
  })
}
