import type { Clock } from '@escapement/core'

/** How many requests one statement decides at most. */
const MAX_BATCH = 500

interface Entry<Q, A> {
  readonly request: Q
  resolve(reply: A): void
  reject(error: unknown): void
}

/** Collects what is asked in one turn of the event loop, and asks it together: a second brings thousands of ticks at once. */
export class Batch<Q, A> {
  readonly #clock: Clock
  readonly #send: (requests: readonly Q[]) => Promise<readonly A[]>
  #waiting: Entry<Q, A>[] = []

  constructor(clock: Clock, send: (requests: readonly Q[]) => Promise<readonly A[]>) {
    this.#clock = clock
    this.#send = send
  }

  ask(request: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ request, resolve, reject }) === 1)
        this.#clock.setImmediate(() => this.#flush())
    })
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let i = 0; i < waiting.length; i += MAX_BATCH) void this.#decide(waiting.slice(i, i + MAX_BATCH))
  }

  async #decide(batch: readonly Entry<Q, A>[]): Promise<void> {
    try {
      const replies = await this.#send(batch.map(({ request }) => request))
      for (const [i, { resolve }] of batch.entries()) resolve(replies[i] as A)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
