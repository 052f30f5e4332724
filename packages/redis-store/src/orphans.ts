import type { Host, Run, State } from '@escapement/core'
import { foldOf, hasEnded, STATES } from '@escapement/core/plugin'
import { readRuns } from './queries.ts'
import type { Writer } from './writer.ts'

/** How long an instance must be away beyond its last heartbeat: after an outage all write theirs again. In ms. */
const PATIENCE_MS = 5_000

/** A request that is refused for this long, and has not begun: the instance that has its claim died before it began. In ms. */
const REFUSED_MS = 15_000

/** What a lock says of a run that was asked for, whose instance died: it knows the id only. */
interface Lost {
  readonly tick: string
  readonly scheduledAt: Date | undefined
  readonly by: string | undefined
}

/** Runs that an instance has begun, or claimed, which is not there any more: they end as abandoned. */
export class Orphans {
  readonly #writer: Writer
  #host: Host | undefined
  /** Since when the instance of a run is seen to be away, on the monotonic clock. */
  #since = new Map<string, number>()
  /** Since when the claim of a request is refused, on the monotonic clock. */
  readonly #refused = new Map<string, number>()

  constructor(writer: Writer) {
    this.#writer = writer
  }

  attach(host: Host): void {
    this.#host = host
    const on = host.on as (event: string, listener: (about: never) => void) => unknown
    on('tick-lost', ({ tick, scheduledAt, by }: Lost) => {
      // Of a tick the scheduler makes the record.
      if (scheduledAt === undefined) this.#abandon(tick, by)
    })
    on('claimed-elsewhere', ({ id, requested }: Run) => {
      if (requested) this.#refuse(id, host.clock.monotonic())
    })
  }

  /** @param left Ids of runs whose instance is away now. */
  look(left: readonly string[], now: number): void {
    const before = this.#since
    this.#since = new Map(left.map((id) => [id, before.get(id) ?? now]))
    for (const [id, since] of this.#since) if (now - since >= PATIENCE_MS) this.#abandon(id, undefined)
    this.#lookAtRefused(now)
  }

  /** A claim is refused once to each instance: it is looked at later whether the run has begun. */
  #refuse(id: string, now: number): void {
    this.#refused.set(id, this.#refused.get(id) ?? now)
    for (const oldest of this.#refused.keys()) if (this.#refused.size > 10_000) this.#refused.delete(oldest)
  }

  #lookAtRefused(now: number): void {
    for (const [id, since] of this.#refused) {
      if (now - since < REFUSED_MS) return
      this.#refused.delete(id)
      this.#abandon(id, undefined, ['due'])
    }
  }

  #abandon(id: string, by: string | undefined, states: readonly State[] = STATES): void {
    this.#read(id, by, states).catch(() => {
      // It is found at the next look.
    })
  }

  async #read(id: string, by: string | undefined, states: readonly State[]): Promise<void> {
    const [record] = await readRuns(this.#writer, { id }, () => {})
    if (!record || hasEnded(record.state) || !states.includes(record.state)) return
    const { key, job, scheduledAt, instance, restarts, cause, fence } = record
    this.#host?.abandon(
      { id: key, job, scheduledAt, fold: foldOf(key) },
      { id, instance: by ?? instance, restarts, cause, ...(fence !== undefined && { fence }) },
    )
  }
}
