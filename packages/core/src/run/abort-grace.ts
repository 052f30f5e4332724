import type { Clock, Events, Run, Timer } from '../types/index.ts'

/** An attempt that can be ended without waiting for its handler. */
export interface AttemptUnderWay {
  forceEnd(reason: unknown): void
}

/** A run whose attempt was aborted. */
export interface AbortedRun extends Run {
  readonly aborted: Error | undefined
  readonly ended: boolean
  readonly underWay: AttemptUnderWay | undefined
  cleanUp(): Promise<void>
}

/** How long an aborted attempt may take to settle. After that its run ends, whatever the handler still does. */
export class AbortGrace {
  /** In ms. */
  readonly length: number
  readonly #clock: Clock
  readonly #events: Pick<Events, 'emit'>
  readonly #timers = new Map<AbortedRun, Timer>()

  constructor(length: number, clock: Clock, events: Pick<Events, 'emit'>) {
    this.length = length
    this.#clock = clock
    this.#events = events
  }

  /** Called when a running attempt was aborted. */
  begin(run: AbortedRun): void {
    const { underWay } = run
    if (!underWay) return
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(run)
      if (run.ended || run.underWay !== underWay) return
      this.#events.emit('ignored-abort', run)
      void run.cleanUp()
      underWay.forceEnd(run.aborted)
    }, this.length)
    this.#timers.set(run, timer)
  }

  /** The run has ended. */
  end(run: AbortedRun): void {
    const timer = this.#timers.size > 0 && this.#timers.get(run)
    if (!timer) return
    this.#clock.clearTimeout(timer)
    this.#timers.delete(run)
  }
}
