import type { Host } from '@escapement/core'
import { LostRequests } from '@escapement/core/plugin'
import { readRuns } from './queries.ts'
import type { Writer } from './writer.ts'

/** How long an instance must be away beyond its last heartbeat: after an outage all write theirs again. In ms. */
const PATIENCE_MS = 5_000

/** Runs that an instance has begun, or claimed, which is not there any more: they end as abandoned. */
export class Orphans {
  readonly #requests: LostRequests
  /** Since when the instance of a run is seen to be away, on the monotonic clock. */
  #since = new Map<string, number>()

  constructor(writer: Writer) {
    this.#requests = new LostRequests(async (id) => (await readRuns(writer, { id }, () => {}))[0])
  }

  attach(host: Host): void {
    this.#requests.attach(host)
  }

  /** @param left Ids of runs whose instance is away now. */
  look(left: readonly string[], now: number): void {
    const before = this.#since
    this.#since = new Map(left.map((id) => [id, before.get(id) ?? now]))
    for (const [id, since] of this.#since) if (now - since >= PATIENCE_MS) void this.#requests.abandon(id)
    this.#requests.look()
  }
}
