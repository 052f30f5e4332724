import type { JobEntry } from '../jobs/job-entry.ts'

/** Stretches that are remembered: as many as the clock is set in a bad week. */
const MAX_STRETCHES = 32
/** Late ticks of one job that are remembered: those that ran, and those that were reported as missed. */
const MAX_RAN = 2_000
const MAX_MISSED = 500

type Ticks = Map<JobEntry, Set<number>>

interface Stretch {
  /** In ms; `to` was lived through, too. */
  readonly from: number
  readonly to: number
}

/** The clock was set back from `high` to `wall`, at `mono` on the monotonic clock. All in ms. */
interface StepBack {
  readonly high: number
  readonly wall: number
  readonly mono: number
  readonly tolerance: number
}

/**
 * The wall time that this process lived through, in stretches between the jumps of the clock. Of jobs at fixed
 * times it tells which ticks are decided when the clock shows a time again: those within a stretch, and those
 * that were found late after a jump and run then.
 */
export class LivedTime {
  #past: Stretch[] = []
  /** Where the present stretch began. */
  #from = Number.NaN
  /** The last jump ahead: from where, to where, and when on the monotonic clock. */
  #jump: { from: number; to: number; mono: number } | undefined
  /** Ticks of times that were jumped over. */
  readonly #ran: Ticks = new Map()
  readonly #missed: Ticks = new Map()

  /** Ticks before this were jumped over. */
  jumpedTo: number = -Infinity

  begin(wall: number): void {
    if (Number.isNaN(this.#from)) this.#from = wall
  }

  /** The clock was set ahead, from `wall`, where the last look was, to `to`. */
  ahead(wall: number, to: number, mono: number): void {
    this.#close(wall, to)
    this.#jump = { from: wall, to, mono }
    this.jumpedTo = to
  }

  /**
   * The clock was set back, from `high` to `wall`. Returns from where on ticks may be due: if it took back the last
   * jump, from before that, as if there had been none.
   */
  back({ high, wall, mono, tolerance }: StepBack): number {
    const jump = this.#jump
    this.#close(high, wall)
    this.#jump = undefined
    this.jumpedTo = -Infinity
    if (!jump || wall < jump.from) return wall
    return Math.abs(wall - jump.from - (mono - jump.mono)) <= tolerance ? jump.from : wall
  }

  /** A tick of a time that was jumped over was found late. */
  late(job: JobEntry, at: number, ran: boolean): void {
    const all = ran ? this.#ran : this.#missed
    const ticks = all.get(job) ?? new Set()
    all.set(job, ticks.add(at))
    if (ticks.size > (ran ? MAX_RAN : MAX_MISSED)) ticks.delete(ticks.values().next().value as number)
  }

  forget(job: JobEntry): void {
    this.#ran.delete(job)
    this.#missed.delete(job)
  }

  /** Whether the tick was reported as missed in a time that the clock never reached by itself. */
  missed(job: JobEntry, at: number): boolean {
    return this.#missed.get(job)?.has(at) === true
  }

  /** Up to where, in ms, the tick and those after it are decided; undefined if it is not. */
  decidedUntil(job: JobEntry, at: number): number | undefined {
    const stretch = this.#past.find(({ from, to }) => at > from && at <= to)
    return stretch?.to ?? (this.#ran.get(job)?.has(at) ? at : undefined)
  }

  #close(to: number, next: number): void {
    if (to > this.#from) this.#past.push({ from: this.#from, to })
    if (this.#past.length > MAX_STRETCHES) this.#past.shift()
    this.#from = next
  }
}
