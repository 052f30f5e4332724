import { createHash, randomUUID } from 'node:crypto'
import {
  type Claim,
  type Clock,
  EscapementError,
  type Lock,
  type Maybe,
  type Outcome,
  type Refusal,
  type Run,
} from '@escapement/core'
import { printable } from '@escapement/core/plugin'
import {
  type Backend,
  type ClaimReply,
  type ClaimRequest,
  type ClaimRow,
  type End,
  MUTEX,
  type OwnClaim,
} from '../backend.ts'
import { Batch } from './batch.ts'
import type { Ends } from './ends.ts'
import { Exclusive } from './exclusive.ts'
import type { Leases } from './lease.ts'

export interface LockParts {
  readonly backend: Backend
  readonly leases: Leases
  readonly ends: Ends
  readonly clock: Clock
  readonly instance: () => string
  /** This life; undefined before the first heartbeat. */
  readonly owner: () => string | undefined
  /** The scheduler is stopping: what is aborted now may be run again elsewhere. */
  readonly draining: () => boolean
  /** A dead owner is in the way. */
  readonly onDead: () => Promise<void>
  readonly onFault: (error: unknown) => void
  readonly trouble: () => string | undefined
}

/** Of a mutex; longer ones are kept as their hash. */
const MAX_NAME_LENGTH = 200

/** What a claim that was granted is ended by. */
interface Granted {
  readonly key: string
  readonly token: string
  readonly owner: string
  readonly fence: number
  readonly start: number
  readonly rerun: boolean
}

/** Claims and leases of a fleet. */
export class SqlLock implements Lock {
  readonly trouble: () => string | undefined
  readonly #parts: LockParts
  /** Tokens that are asked for or held: a claim of ours in the database with another token is unknown to us. */
  readonly #known = new Set<string>()
  readonly #claims: Batch<ClaimRequest, ClaimReply>
  readonly #completions: Batch<End, void>
  readonly #deletions: Batch<OwnClaim, void>
  readonly #exclusive: Exclusive

  constructor(parts: LockParts) {
    this.#parts = parts
    this.trouble = parts.trouble
    const { backend, clock } = parts
    this.#exclusive = new Exclusive(clock)
    this.#claims = new Batch(clock, async (requests) => backend.claim(requests))
    this.#completions = new Batch(clock, async (ends) => {
      await backend.complete(ends)
      return []
    })
    this.#deletions = new Batch(clock, async (claims) => {
      await backend.deleteClaims(claims)
      return []
    })
  }

  claim(run: Run, { exclusive }: { exclusive: boolean }): Promise<Claim | Refusal> {
    const { key, job, tick, cause, id } = run
    // Without a lease, of a job that needs one: it is only decided that the tick was missed.
    const runs = exclusive || job.policies.overlap === 'allow'
    const rerun = runs && job.policies.onAbandoned === 'rerun' && !run.requested
    return this.#ask({
      key,
      job: job.name,
      at: tick.scheduledAt.getTime(),
      trigger: cause,
      token: id,
      leased: exclusive,
      rerun,
    })
  }

  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T> {
    const { clock } = this.#parts
    const acquire = async () => {
      const key = MUTEX + randomUUID()
      const about = {
        key,
        job: MUTEX + fit(name),
        at: clock.now(),
        trigger: '',
        token: key,
        leased: true,
        rerun: false,
      }
      const answer = await this.#ask(about)
      if (answer.granted) return answer
      if (answer.reason === 'overlap') return undefined
      throw answer.error
    }
    return this.#exclusive.run({ name, acquire, signal }, fn)
  }

  /** Gives a claim that was taken over to its new run. */
  hold(granted: Granted): Claim {
    this.#known.add(granted.token)
    return this.#hold(granted)
  }

  /** A token that is about to be in the database, and no ghost if it is found there. */
  expect(token: string): void {
    this.#known.add(token)
  }

  dismiss(token: string): void {
    this.#known.delete(token)
  }

  /**
   * Claims in our name that nobody here asked for or holds: their answer was lost, or came after the withdrawal.
   * Without this they would be in the way for as long as we live.
   */
  async unknown(): Promise<readonly ClaimRow[]> {
    const owner = this.#parts.owner()
    if (owner === undefined) return []
    const claims = await this.#parts.backend.claimsOf(owner)
    // Declared dead meanwhile: what was held is left to whoever takes it over.
    if (this.#parts.owner() !== owner || !this.#parts.leases.trusted) return []
    return claims.filter(({ token }) => !this.#known.has(token) && !this.#parts.ends.has(token))
  }

  /** Takes back what was never given to a run. */
  async withdraw(claims: readonly ClaimRow[]): Promise<void> {
    const { backend, ends } = this.#parts
    const first = claims.filter(({ start }) => start === 1)
    if (first.length > 0) await backend.deleteClaims(first)
    for (const { key, token, start } of claims) {
      if (start > 1) await ends.write(token, () => backend.returnClaim(key, token))
    }
  }

  async #ask(about: Omit<ClaimRequest, 'instance' | 'owner'>, again = true): Promise<Claim | Refusal> {
    const { leases, instance, onFault } = this.#parts
    const { token } = about
    const owner = this.#parts.owner()
    if (owner === undefined || !leases.trusted)
      return unavailable('the heartbeat of this instance cannot be written')
    // The run of a request keeps its token: what takes an earlier claim of it back would take this one.
    if (this.#parts.ends.has(token)) return unavailable('an earlier claim of this run is still taken back')
    this.#known.add(token)
    let answer: ClaimReply
    try {
      answer = await this.#claims.ask({ ...about, instance: instance(), owner })
    } catch (error) {
      onFault(error)
      // It may have been given all the same, or be given yet: each heartbeat looks for it.
      this.#withdraw(token, owner)
      return { granted: false, reason: 'claim-unavailable', error: error as Error }
    }
    if ('fence' in answer) {
      if (this.#parts.owner() === owner && leases.trusted)
        return this.#hold({ ...about, owner, fence: answer.fence, start: 1 })
      // That life is over, or may be: others would report the claim as a run that died, and it is none.
      this.#withdraw(token, owner)
      return unavailable('the heartbeat of this instance came too late')
    }
    this.#known.delete(token)
    if (answer.reason === 'not-alive')
      return unavailable('the heartbeat of this instance is not in the database')
    if (answer.dead && answer.reason === 'overlap' && again) {
      await this.#parts.onDead()
      return this.#ask(about, false)
    }
    return { granted: false, reason: answer.reason, by: answer.by }
  }

  /** Takes back a claim that begins no run. */
  #withdraw(token: string, owner: string): void {
    this.#known.delete(token)
    void this.#parts.ends.write(token, () => this.#deletions.ask({ token, owner }))
  }

  #hold({ key, token, owner, fence, start, rerun }: Granted): Claim {
    const { backend, ends, leases, draining } = this.#parts
    const write = (how: () => Maybe<void>) => {
      const written = ends.write(token, how)
      this.#known.delete(token)
      return written
    }
    const complete = (outcome: Outcome) => {
      // Nothing is lost with a mutex, and nobody asks how it ended.
      if (key.startsWith(MUTEX)) return write(() => this.#deletions.ask({ token, owner }))
      // What is not trusted any more, or was aborted by a stop, is left to be run again.
      const leave = rerun && (outcome === 'lease-lost' || (outcome === 'cancelled' && draining()))
      return write(() =>
        leave ? backend.handOver(key, token) : this.#completions.ask({ key, token, outcome }),
      )
    }
    return leases.hold({
      name: key,
      fence,
      restarts: start - 1,
      complete,
      release: () =>
        write(() => (start > 1 ? backend.returnClaim(key, token) : this.#deletions.ask({ token, owner }))),
      onLost: () => this.#known.delete(token),
    })
  }
}

/** A name as every database can keep and index it: one that it refused would take the other claims of its moment along. */
function fit(name: string): string {
  if (name.length <= MAX_NAME_LENGTH && printable(name) === name) return name
  return createHash('sha256').update(JSON.stringify(name)).digest('hex')
}

function unavailable(why: string): Refusal {
  return {
    granted: false,
    reason: 'claim-unavailable',
    error: new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', why),
  }
}
