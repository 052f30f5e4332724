import type { Clock, Host, Job, Run } from '@escapement/core'
import { Repeat } from '@escapement/core/plugin'

interface Watched {
  /** The next tick, as it was seen at the last look. */
  next: number | undefined
  /** The oldest tick that nobody has started or decided. */
  open: number | undefined
  /** The newest tick that was started or decided. */
  seen: number
}

export interface OverdueParts {
  host: Pick<Host, 'jobs'>
  clock: Clock
  /** How late a tick of this job may be started, in ms; undefined when nobody wants to know. */
  grace: (job: Job) => number | undefined
  /** Between two looks, in ms. */
  every: number
  onOverdue: (job: Job, tick: Date, grace: number) => void
}

/**
 * Finds ticks whose grace is over and that nobody in this process has seen started, refused or skipped: runs
 * that wait for a place too long, and whatever else keeps a tick from its handler. It cannot see that its own
 * process is dead or blocked; a heartbeat can.
 */
export class Overdue {
  readonly #parts: OverdueParts
  readonly #watched = new WeakMap<Job, Watched>()
  readonly #looking: Repeat

  constructor(parts: OverdueParts) {
    this.#parts = parts
    this.#looking = new Repeat(() => {
      this.look()
      return parts.every
    })
  }

  start(): void {
    this.#looking.start(this.#parts.clock, this.#parts.every)
  }

  stop(): void {
    this.#looking.stop()
  }

  /** A tick was started, or it was decided that it is not. */
  saw(run: Run): void {
    if (run.requested) return
    const watched = this.#of(run.job)
    watched.seen = Math.max(watched.seen, run.tick.scheduledAt.getTime())
    if (watched.open !== undefined && watched.open <= watched.seen) watched.open = undefined
  }

  look(): void {
    const now = this.#parts.clock.now()
    for (const job of this.#parts.host.jobs()) {
      const watched = this.#of(job)
      const { next } = watched
      watched.next = job.next?.getTime()
      if (watched.open === undefined && next !== undefined && next <= now && next > watched.seen)
        watched.open = next
      const { open } = watched
      if (open === undefined) continue
      const grace = this.#grace(job, open)
      if (grace === undefined || now <= open + grace) continue
      watched.open = undefined
      watched.seen = Math.max(watched.seen, open)
      this.#parts.onOverdue(job, new Date(open), grace)
    }
  }

  /** At most half the time to the tick after. */
  #grace(job: Job, tick: number): number | undefined {
    const grace = this.#parts.grace(job)
    if (grace === undefined) return undefined
    const after = job.trigger.next(new Date(tick))?.getTime()
    return after === undefined ? grace : Math.min(grace, (after - tick) / 2)
  }

  #of(job: Job): Watched {
    let watched = this.#watched.get(job)
    if (!watched) {
      watched = { next: job.next?.getTime(), open: undefined, seen: -Infinity }
      this.#watched.set(job, watched)
    }
    return watched
  }
}
