import { EscapementError, show } from '../errors.ts'
import type { Troubles } from '../log/trouble.ts'
import type { Claim, Clock, Job, Lock, Maybe, Refusal, Run } from '../types/index.ts'
import { describe, isError } from '../util/describe.ts'
import { isPromise } from '../util/promise.ts'
import { answer } from '../util/time.ts'
import { END_TIMEOUT_MS, GuardedClaim } from './guarded-claim.ts'

/** How long a lock may take to answer a claim, in ms. Far more than those that keep to their port need. */
const CLAIM_TIMEOUT_MS = 30_000
/** How long a lock can leave a tick to others from now on, in ms. */
const MAX_CLAIM_DELAY_MS = 60_000

const REASONS: readonly unknown[] = ['claimed-elsewhere', 'claim-unavailable', 'overlap']

/**
 * A lock that keeps to its port whatever the given one does: no fault of it changes the outcome of a run or keeps one
 * from its end. What throws, rejects, does not answer or answers nonsense is reported once when it begins.
 */
export class GuardedLock implements Lock {
  readonly exclusive: Lock['exclusive']
  /** It is not available from now on, and why; or it is again. Set by who keeps that. */
  onChange: (error: unknown) => void = () => {}
  #available = true
  readonly #lock: Lock
  readonly #clock: Clock
  readonly #troubles: Troubles

  constructor(lock: Lock, clock: Clock, troubles: Troubles) {
    this.#lock = lock
    this.#clock = clock
    this.#troubles = troubles
    if (lock.exclusive) this.exclusive = (name, fn, signal) => this.#exclusive(name, fn, signal)
  }

  trouble(): string | undefined {
    return this.#lock.trouble?.()
  }

  claim(run: Run, options: { exclusive: boolean }): Maybe<Claim | Refusal> {
    try {
      const asked = this.#lock.claim(run, options)
      return isPromise(asked) ? this.#wait(asked) : this.#accept(asked)
    } catch (error) {
      return this.#unavailable(error)
    }
  }

  #wait(asked: Promise<Claim | Refusal>): Promise<Claim | Refusal> {
    return answer(this.#clock, asked, CLAIM_TIMEOUT_MS, 'lock.claim()').then(
      (given) => this.#accept(given),
      (error: unknown) => {
        // What is granted after all is not used.
        asked.then((late) => void (late.granted && this.take(late).complete('skipped'))).catch(() => {})
        return this.#unavailable(error)
      },
    )
  }

  #accept(given: Claim | Refusal): Claim | Refusal {
    try {
      return this.#judge(given)
    } catch (error) {
      return this.#unavailable(error)
    }
  }

  #judge(given: Claim | Refusal): Claim | Refusal {
    if (given?.granted === true && CLAIM.every((method) => typeof given[method] === 'function')) {
      this.#works()
      return this.take(given)
    }
    if (given?.granted !== false || !REASONS.includes(given.reason)) {
      const old = typeof given === 'object' && given !== null && 'finish' in given
      const hint = old ? ' (claim.finish() is called complete() now, and release() gives a tick back)' : ''
      const message = `lock.claim() must answer with a claim or a refusal, but answered ${show(given)}${hint}`
      throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
    }
    if (given.reason !== 'claim-unavailable') this.#works()
    else {
      const error = given.error ?? new Error('it is not available')
      this.#turn(false, error)
      if (!this.#lock.trouble) this.#fail('lock', error, NOT_RUN)
    }
    return given
  }

  #works(): void {
    this.#turn(true, undefined)
    this.#troubles.works('lock')
  }

  #turn(available: boolean, error: unknown): void {
    if (this.#available === available) return
    this.#available = available
    this.onChange(error)
  }

  #unavailable(error: unknown): Refusal {
    this.#turn(false, error)
    this.#fail('lock', error, NOT_RUN)
    const given = isError(error) ? error : new Error(describe(error).message)
    return { granted: false, reason: 'claim-unavailable', error: given }
  }

  #fail(what: string, error: unknown, effect: string): void {
    this.#troubles.fail(what, error, effect)
  }

  /** A claim that never throws, and whose end is waited for a limited time. */
  take(claim: Claim): Claim {
    return new GuardedClaim(claim, this.#clock, this.#troubles)
  }

  claimDelay(job: Job, at: number, now: number): number {
    if (!this.#lock.claimDelay) return 0
    try {
      const ms: unknown = this.#lock.claimDelay(job, at, now)
      if (typeof ms === 'number' && ms >= 0 && ms <= MAX_CLAIM_DELAY_MS + Math.max(0, now - at)) {
        this.#troubles.works('lock.claimDelay')
        return ms
      }
      if (isPromise(ms)) Promise.resolve(ms).catch(() => {})
      const message = `lock.claimDelay() must give milliseconds from 0 to ${MAX_CLAIM_DELAY_MS}, but gave ${show(ms)}`
      throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
    } catch (error) {
      this.#fail('lock.claimDelay', error, 'ticks are not left to other instances')
      return 0
    }
  }

  /** What `fn` returns or throws counts, once it was called, whatever the lock makes of it. */
  #exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      let ended: Promise<T> | undefined
      const work = (hold: AbortSignal): Promise<T> => {
        if (ended)
          throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', 'lock.exclusive() called its function twice')
        ended = (async () => fn(hold))()
        ended.then(over, over).finally(() => ended?.then(resolve, reject))
        return ended
      }
      /** The lock has some time to give the name back. */
      const over = () => answer(this.#clock, locked, END_TIMEOUT_MS, 'lock.exclusive()').then(() => {}, fault)
      const fault = (error: unknown) =>
        ended?.then(
          () => this.#fail('lock.exclusive', error, 'what was done under it counts all the same'),
          () => {},
        )
      const locked = (async () => this.#lock.exclusive?.(name, work, signal))()
      locked.then(
        () => {
          const message = 'lock.exclusive() must call its function, but has not'
          if (!ended) reject(new EscapementError('ERR_ESCAPEMENT_PLUGIN', message))
        },
        (error: unknown) => {
          if (!ended) reject(error)
        },
      )
    })
  }
}

const CLAIM = ['held', 'onLost', 'complete', 'release'] as const

const NOT_RUN = "ticks are skipped, or run unguarded with onLockUnavailable: 'run'"
