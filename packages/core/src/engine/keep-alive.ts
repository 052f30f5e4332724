import { detached } from '../run/context.ts'
import { MAX_TIMER } from '../util/time.ts'

/** Keeps the process from ending while runs are under way, even if they wait for nothing that does. */
export class KeepAlive {
  #timer: NodeJS.Timeout | undefined
  #held = false

  ref(): void {
    if (this.#held) return
    this.#held = true
    this.#timer ??= detached(() => setInterval(() => {}, MAX_TIMER))
    this.#timer.ref()
  }

  unref(): void {
    if (!this.#held) return
    this.#held = false
    this.#timer?.unref()
  }
}
