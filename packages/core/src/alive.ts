import { detached } from './context.ts'
import { MAX_TIMER } from './options.ts'

/** Keeps the process from ending while runs are under way, even if they wait for nothing that does. */
export class Alive {
  #timer: NodeJS.Timeout | undefined

  hold(): void {
    this.#timer ??= detached(() => setInterval(() => {}, MAX_TIMER))
    this.#timer.ref()
  }

  release(): void {
    this.#timer?.unref()
  }
}
