import { randomUUID } from 'node:crypto'
import {
  type Claim,
  type Clock,
  exclusively,
  type Leases,
  type Lock,
  type Maybe,
  type Outcome,
  type Refusal,
  type Run,
} from '@escapement/core'
import { type Answer, type Ask, claim, finish, forget, MUTEX, release, undo } from './claims.ts'
import type { Client } from './client.ts'

export interface LockParts {
  client: Client
  leases: Leases
  clock: () => Clock
  instance: () => string
  owner: () => string | undefined
  /** The scheduler is stopping: what is aborted now may be run again elsewhere. */
  draining: () => boolean
  /** A dead instance is in the way. */
  onDead: () => Promise<void>
}

/** Claims and leases of a fleet. */
export class PostgresLock implements Lock {
  readonly #parts: LockParts
  /** Claims and ends that were sent, but not answered: whether they took effect is not known. */
  readonly #doubtful = new Map<string, () => Promise<void>>()

  constructor(parts: LockParts) {
    this.#parts = parts
  }

  async claim(run: Run, { lease }: { lease: boolean }): Promise<Claim | Refusal> {
    const { key, job, tick, trigger, id } = run
    const rerun = job.policies.onAbandoned === 'rerun' && trigger !== 'manual'
    const ask = {
      key,
      job: job.name,
      at: tick.scheduledAt.getTime(),
      trigger,
      token: id,
      leased: lease,
      rerun,
    }
    return this.#ask(ask, (outcome) => this.#finish(key, id, outcome, rerun))
  }

  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T> {
    const { client, clock } = this.#parts
    const acquire = async () => {
      const key = MUTEX + randomUUID()
      const ask = {
        key,
        job: MUTEX + name,
        at: Date.now(),
        trigger: '',
        token: key,
        leased: true,
        rerun: false,
      }
      const answer = await this.#ask(ask, () => this.#surely(key, () => forget(client, [key])))
      if (answer.granted) return answer
      if (answer.reason === 'overlap') return undefined
      throw answer.error
    }
    return exclusively(clock(), acquire, fn, signal)
  }

  /** Gives a claim that was taken over to its new run. Finished as `abandoned`, it can be taken over again. */
  hold(grant: { key: string; token: string; fence: number; start: number }): Claim {
    const { key, token, fence, start } = grant
    const end = (outcome: Outcome) =>
      outcome === 'abandoned'
        ? this.#surely(token, () => undo(this.#parts.client, key, token))
        : this.#finish(key, token, outcome, true)
    return this.#parts.leases.hold({ name: key, fence, start, finish: end })
  }

  /** Sends again what was not answered. */
  async settle(): Promise<void> {
    for (const [token, write] of this.#doubtful) {
      await write()
      this.#doubtful.delete(token)
    }
  }

  async #ask(
    asked: Omit<Ask, 'instance' | 'owner'>,
    end: (outcome: Outcome) => Promise<void>,
    again = true,
  ): Promise<Claim | Refusal> {
    const { client, leases, instance } = this.#parts
    const owner = this.#parts.owner()
    if (owner === undefined || !leases.trusted)
      return unavailable(new Error('the heartbeat cannot be written'))
    let answer: Answer
    try {
      answer = await claim(client, { ...asked, instance: instance(), owner })
    } catch (error) {
      // It may have been taken all the same, or be taken yet.
      this.#doubtful.set(asked.token, () => forget(client, [asked.token]))
      return unavailable(error as Error)
    }
    if ('fence' in answer) {
      // Declared dead meanwhile: whoever takes over finds the claim.
      if (this.#parts.owner() !== owner) return unavailable(new Error('the heartbeat came too late'))
      return leases.hold({ name: asked.key, fence: answer.fence, start: 1, finish: end })
    }
    if (answer.reason === 'unheard')
      return unavailable(new Error('the heartbeat of this instance is not there'))
    if (answer.dead && answer.reason === 'overlap' && again) {
      await this.#parts.onDead()
      return this.#ask(asked, end, false)
    }
    return { granted: false, reason: answer.reason, by: answer.by }
  }

  #finish(key: string, token: string, outcome: Outcome, rerun: boolean): Promise<void> {
    const { client, draining } = this.#parts
    // What is not held any more is not closed either: another instance runs it again.
    const leave = rerun && (outcome === 'lease-lost' || (outcome === 'cancelled' && draining()))
    return this.#surely(token, () =>
      leave ? release(client, key, token) : finish(client, key, token, outcome),
    )
  }

  /** Writes now, or when PostgreSQL is back. */
  async #surely(token: string, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch {
      this.#doubtful.set(token, write)
    }
  }
}

function unavailable(error: Error): Refusal {
  return { granted: false, reason: 'claim-unavailable', error }
}
