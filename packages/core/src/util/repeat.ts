import type { Clock, Maybe, Timer } from '../types/index.ts'

interface Round {
  readonly clock: Clock
  timer?: Timer
}

/** Does something again and again, one after the other. It does not keep the process. */
export class Repeat {
  readonly #work: () => Maybe<number>
  /** What goes on; another one after each start. */
  #round: Round | undefined

  /** @param work Gives the time until it is done again, in ms. What it throws is nobody's: it must not. */
  constructor(work: () => Maybe<number>) {
    this.#work = work
  }

  /** @param ms Until the first time. */
  start(clock: Clock, ms: number): void {
    this.stop()
    this.#round = { clock }
    this.#wait(this.#round, ms)
  }

  /** What is under way goes on, and is the last. */
  stop(): void {
    const round = this.#round
    this.#round = undefined
    if (round?.timer) round.clock.clearTimeout(round.timer)
  }

  #wait(round: Round, ms: number): void {
    round.timer = round.clock.setTimeout(async () => {
      const next = await this.#work()
      if (this.#round === round) this.#wait(round, next)
    }, ms)
    round.timer.unref?.()
  }
}
