import type { ActiveRun } from '../run/active-run.ts'
import { KeepAlive } from './keep-alive.ts'

/** The runs on their way. Each knows its index, so that it can leave without a search. */
export class InFlight implements Iterable<ActiveRun> {
  readonly #runs: ActiveRun[] = []
  readonly #keepAlive = new KeepAlive()
  #onIdle: (() => void)[] = []

  get size(): number {
    return this.#runs.length
  }

  [Symbol.iterator](): IterableIterator<ActiveRun> {
    return this.#runs.values()
  }

  find(serial: number): ActiveRun | undefined {
    return this.#runs.find((run) => run.serial === serial)
  }

  add(run: ActiveRun): void {
    run.index = this.#runs.push(run) - 1
  }

  /** A run has not ended at once: the process is kept until all have. */
  keepAlive(): void {
    this.#keepAlive.ref()
  }

  delete(run: ActiveRun): void {
    if (run.index < 0) return
    const last = this.#runs.pop()
    if (last && last !== run) {
      last.index = run.index
      this.#runs[run.index] = last
    }
    run.index = -1
  }

  /** Lets the process go and resolves the promises of `idle()`, if no run is under way. */
  settle(): void {
    if (this.#runs.length > 0) return
    this.#keepAlive.unref()
    if (this.#onIdle.length > 0) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    while (this.#runs.length > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }
}
