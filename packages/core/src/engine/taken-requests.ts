import type { Clock, RequestStore } from '../types/index.ts'
import type { JobRun } from './engine.ts'

/** How often it is looked whether other instances have begun what was accepted here, in ms. */
const LOOK_MS = 1_000

/** Finds the requests that were accepted here and that other instances have begun. */
export class TakenRequests {
  /** Ids of requests that the store has not answered yet: whether they wait is not known. */
  readonly asking: Set<string> = new Set()
  readonly #store: RequestStore
  readonly #clock: Clock
  #looked = -Infinity

  constructor(store: RequestStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /**
   * @param made The runs of what was accepted here and has not begun here, by id. Those that were taken leave it.
   */
  async look(made: Map<string, JobRun>, leave: (run: JobRun) => void): Promise<void> {
    const now = this.#clock.monotonic()
    if (made.size === 0 || now - this.#looked < LOOK_MS) return
    this.#looked = now
    const ids = [...made.keys()].filter((id) => !this.asking.has(id))
    const waiting = new Set(await this.#store.waiting?.(ids))
    for (const id of ids) {
      const run = made.get(id)
      if (!run || waiting.has(id)) continue
      made.delete(id)
      leave(run)
    }
  }
}
