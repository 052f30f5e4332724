import { detached } from '../run/context.ts'
import type { Clock, Logger, Timer } from '../types/index.ts'
import { systemClock } from './system-clock.ts'

/** How long a scheduler with jobs may wait for its start before a line says so, in ms. */
const PATIENCE = 10_000

/** One line when nobody starts a scheduler that has jobs: its ticks would be missed in silence. */
export class Reminder {
  readonly #clock: Clock
  readonly #log: Logger
  #timer: Timer | undefined
  #over = false

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /** A job has come. Tests start schedulers when they like, or not at all. */
  wait(jobs: () => number): void {
    if (this.#over || this.#timer || this.#clock !== systemClock || process.env.NODE_ENV === 'test') return
    this.#timer = detached(() => this.#clock.setTimeout(() => this.#tell(jobs()), PATIENCE))
    this.#timer.unref?.()
  }

  /** It was started. */
  end(): void {
    this.#over = true
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #tell(jobs: number): void {
    this.end()
    if (jobs === 0) return
    this.#log.warn(
      { jobs },
      'the scheduler has not been started, no tick runs: call scheduler.start(), or mount its middleware on an app that listens',
    )
  }
}
