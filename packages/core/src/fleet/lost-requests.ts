import { hasEnded } from '../run/outcomes.ts'
import type { Host, Maybe, Run, RunRecord } from '../types/index.ts'
import { foldOf } from '../util/ids.ts'

/** A request that is refused for this long, and has not begun: the instance that has its claim died before it began. In ms. */
const REFUSED_MS = 15_000
/** The most refused requests that are remembered. */
const MAX_REFUSED = 10_000

/** What a lock says of a run that was asked for, whose instance died: it knows the id only. */
interface LostTick {
  readonly tick: string
  readonly scheduledAt: Date | undefined
  readonly by: string | undefined
}

/**
 * For a store beside another plugin's lock: ends the requests whose instance died between its claim and the first record of
 * the run. No other instance gets their claim, and the lock knows nothing of the store.
 */
export class LostRequests {
  readonly #find: (id: string) => Maybe<RunRecord | undefined>
  #host: Host | undefined
  /** Since when the claim of a request is refused, on the monotonic clock. */
  readonly #refused = new Map<string, number>()

  /** @param find The record of a run. */
  constructor(find: (id: string) => Maybe<RunRecord | undefined>) {
    this.#find = find
  }

  attach(host: Host): void {
    this.#host = host
    const on = host.on as (event: string, listener: (about: never) => void) => unknown
    on('tick-lost', ({ tick, scheduledAt, by }: LostTick) => {
      // Of a tick the scheduler makes the record.
      if (scheduledAt === undefined) void this.abandon(tick, { by })
    })
    on('claimed-elsewhere', ({ id, requested }: Run) => {
      if (requested) this.#refuse(id, host.clock.monotonic())
    })
  }

  /** To be called now and then: a claim is refused once to each instance, and it is looked at later whether the run has begun. */
  look(): void {
    const now = this.#host?.clock.monotonic() ?? 0
    for (const [id, since] of this.#refused) {
      if (now - since < REFUSED_MS) return
      this.#refused.delete(id)
      void this.abandon(id, { onlyDue: true })
    }
  }

  /** Ends a run that has not ended. What cannot be read now is found at a later look of some instance. */
  async abandon(id: string, { by, onlyDue = false }: { by?: string; onlyDue?: boolean } = {}): Promise<void> {
    try {
      const record = await this.#find(id)
      if (!record || hasEnded(record.state) || (onlyDue && record.state !== 'due')) return
      const { key, job, scheduledAt, instance, restarts, cause, fence } = record
      this.#host?.abandon(
        { id: key, job, scheduledAt, fold: foldOf(key) },
        { id, instance: by ?? instance, restarts, cause, ...(fence !== undefined && { fence }) },
      )
    } catch {
      // As above.
    }
  }

  #refuse(id: string, now: number): void {
    this.#refused.set(id, this.#refused.get(id) ?? now)
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MAX_REFUSED) break
      this.#refused.delete(oldest)
    }
  }
}
