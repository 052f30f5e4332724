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
import { type Answer, claim, finish, forget, MUTEX, release, undo } from './claims.ts'
import type { Writer } from './writer.ts'

export interface LockParts {
  writer: Writer
  leases: Leases
  clock: () => Clock
  instance: () => string
  owner: () => string | undefined
  /** The scheduler is stopping: what is aborted now may be run again elsewhere. */
  draining: () => boolean
  /** A dead process is in the way. */
  onDead: () => Promise<void>
}

/** Claims and leases of the processes of one machine. */
export class SqliteLock implements Lock {
  readonly #parts: LockParts

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
    const { writer, clock } = this.#parts
    const acquire = async () => {
      const key = MUTEX + randomUUID()
      const ask = {
        key,
        job: MUTEX + name,
        at: clock().now(),
        trigger: '',
        token: key,
        leased: true,
        rerun: false,
      }
      const answer = await this.#ask(ask, () => writer.write((db) => forget(db, key, key)))
      if (answer.granted) return answer
      if (answer.reason === 'overlap') return undefined
      throw answer.error
    }
    return exclusively(clock(), acquire, fn, signal)
  }

  async #ask(
    asked: Omit<Parameters<typeof claim>[1], 'instance' | 'owner' | 'now'>,
    end: (outcome: Outcome) => Promise<void>,
    again = true,
  ): Promise<Claim | Refusal> {
    const { writer, leases, clock, instance } = this.#parts
    const owner = this.#parts.owner()
    if (owner === undefined || !leases.trusted)
      return unavailable(new Error('the heartbeat cannot be written'))
    const ask = { ...asked, instance: instance(), owner, now: clock().now() }
    let answer: Answer | undefined
    try {
      await writer.write((db) => {
        answer = claim(db, ask)
      })
    } catch (error) {
      return unavailable(error as Error)
    }
    const given = answer as unknown as Answer
    if ('reason' in given) {
      const { reason, by, dead } = given
      if (!dead || !again) return { granted: false, reason, by }
      await this.#parts.onDead()
      return this.#ask(asked, end, false)
    }
    // Declared dead meanwhile: whoever takes over finds the claim.
    if (this.#parts.owner() !== owner) return unavailable(new Error('the heartbeat came too late'))
    return leases.hold({ name: ask.key, fence: given.fence, start: 1, finish: end })
  }

  /** Gives a claim that was taken over to its new run. Finished as `abandoned`, it can be taken over again. */
  hold(grant: { key: string; token: string; fence: number; start: number }): Claim {
    const { key, token, fence, start } = grant
    return this.#parts.leases.hold({
      name: key,
      fence,
      start,
      finish: (outcome) =>
        outcome === 'abandoned'
          ? this.#parts.writer.write((db) => undo(db, key, token))
          : this.#finish(key, token, outcome, true),
    })
  }

  #finish(key: string, token: string, outcome: Outcome, rerun: boolean): Promise<void> {
    const { writer, draining } = this.#parts
    // What is not held any more is not closed either: another process runs it again.
    const leave = rerun && (outcome === 'lease-lost' || (outcome === 'cancelled' && draining()))
    // Committed at once: the others wait for the lease.
    return writer.write((db) => (leave ? release(db, key, token) : finish(db, key, token, outcome)))
  }
}

function unavailable(error: Error): Refusal {
  return { granted: false, reason: 'claim-unavailable', error }
}
