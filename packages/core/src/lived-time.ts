import type { JobEntry } from './job.ts'

/** Stretches that are remembered: as many as the clock is set in a bad week. */
const MAX_STRETCHES = 32
/** Ticks of one job that are remembered from one jump. */
const MAX_TICKS = 2_000

interface Stretch {
  /** In ms; `to` was lived through, too. */
  readonly from: number
  readonly to: number
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
  /** Ticks of times that were jumped over: whether they ran. */
  readonly #late = new Map<JobEntry, Map<number, boolean>>()

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
    for (const [job, ticks] of this.#late) {
      for (const at of ticks.keys()) if (at <= wall) ticks.delete(at)
      if (ticks.size === 0) this.#late.delete(job)
    }
  }

  /**
   * The clock was set back, from `high` to `wall`. Returns from where on ticks may be due: if it took back the last
   * jump, from before that, as if there had been none.
   */
  back(high: number, wall: number, mono: number, tolerance: number): number {
    const jump = this.#jump
    this.#close(high, wall)
    this.#jump = undefined
    this.jumpedTo = -Infinity
    if (!jump || wall < jump.from) return wall
    return Math.abs(wall - jump.from - (mono - jump.mono)) <= tolerance ? jump.from : wall
  }

  /** A tick of a time that was jumped over was found late. */
  late(job: JobEntry, at: number, ran: boolean): void {
    const ticks = this.#late.get(job) ?? new Map<number, boolean>()
    if (ticks.size < MAX_TICKS) ticks.set(at, ran)
    this.#late.set(job, ticks)
  }

  /** Whether the tick was told as missed in a time that the clock never reached by itself. */
  missed(job: JobEntry, at: number): boolean {
    return this.#late.get(job)?.get(at) === false
  }

  /** Up to where, in ms, the tick and those after it are decided; undefined if it is not. */
  decidedUntil(job: JobEntry, at: number): number | undefined {
    const stretch = this.#past.find(({ from, to }) => at > from && at <= to)
    return stretch?.to ?? (this.#late.get(job)?.get(at) === true ? at : undefined)
  }

  #close(to: number, next: number): void {
    if (to > this.#from) this.#past.push({ from: this.#from, to })
    if (this.#past.length > MAX_STRETCHES) this.#past.shift()
    this.#from = next
  }
}
