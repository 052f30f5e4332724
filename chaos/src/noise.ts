import { cpus, loadavg } from 'node:os'

/** How late this idle process's own timers are: what the machine adds to every start, whoever is to blame. */
export class Noise {
  readonly #late: number[] = []
  readonly #timer: NodeJS.Timeout
  #due = performance.now() + 50

  constructor() {
    this.#timer = setInterval(() => {
      this.#late.push(Math.max(0, performance.now() - this.#due))
      this.#due = performance.now() + 50
    }, 50)
  }

  /** In ms. `busy`: the machine has other things to do, so that start times say little about us. */
  stop(): { p50: number; p99: number; busy: boolean } {
    clearInterval(this.#timer)
    const sorted = this.#late.sort((a, b) => a - b)
    const at = (q: number) => Math.round(sorted[Math.floor(sorted.length * q)] ?? 0)
    const p99 = at(0.99)
    return { p50: at(0.5), p99, busy: p99 > 5 || (loadavg()[0] as number) > cpus().length }
  }
}
