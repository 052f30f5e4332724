import type { Outcome, RunCounts, StatsQuery } from '../types/index.ts'
import { addHistogram, classOf } from './histogram.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** How long counters are kept by hour, and in all, in ms. */
const BY_HOUR_MS = 30 * DAY_MS
const KEPT_MS = 400 * DAY_MS
/** The most counters of single jobs: the oldest hours go first. */
const MAX_JOB_COUNTS = 20_000

/** A run, as far as it is counted. */
export interface Counted {
  readonly job: string
  readonly outcome: Outcome
  /** When it was made, in ms. */
  readonly at: number
  /** In ms; undefined when it did not begin. */
  readonly duration: number | undefined
  readonly late: number
}

export interface Counts {
  readonly outcomes: { [O in Outcome]?: number }
  readonly durations: Record<number, number>
  readonly lateness: Record<number, number>
}

/** Where a job remembers its counters. */
export interface CountedJob {
  /** Those of the hour that is counted, and among which they were found. */
  counts: Counts | undefined
  among: object | undefined
}

/** What was counted in one hour, or in one day. */
interface Span {
  readonly at: number
  readonly day: boolean
  readonly all: Counts
  /** Another map when counters are gone: jobs remember theirs by it. */
  jobs: Map<string, Counts>
}

/** Counters of this process, of all jobs and of each. */
export class MemoryCounters {
  /** The oldest first. */
  readonly #spans: Span[] = []
  #jobCounts = 0

  add(memory: CountedJob, run: Counted): void {
    const newest = this.#spans.at(-1)
    const inNewest = newest && run.at >= newest.at && run.at < newest.at + HOUR_MS
    const span = inNewest ? newest : this.#spanAt(run.at - (run.at % HOUR_MS))
    count(span.all, run)
    if (memory.among !== span.jobs) {
      memory.among = span.jobs
      memory.counts = this.#countsOf(span, run.job)
    }
    if (memory.counts) count(memory.counts, run)
  }

  /** Undefined when there is no room for one more job. */
  #countsOf(span: Span, job: string): Counts | undefined {
    const known = span.jobs.get(job)
    if (known) return known
    if (this.#jobCounts >= MAX_JOB_COUNTS && !this.#dropJobs(span)) return undefined
    this.#jobCounts++
    const counts = none()
    span.jobs.set(job, counts)
    return counts
  }

  stats({ from, until = Infinity, step = 'hour', job, perJob = false }: StatsQuery): RunCounts[] {
    const length = step === 'day' ? DAY_MS : HOUR_MS
    const found = new Map<string, { at: number; job: string | undefined; counts: Counts }>()
    for (const span of this.#spans) {
      if (span.at < Number(from) - (Number(from) % length) || span.at >= Number(until)) continue
      const at = span.at - (span.at % length)
      for (const [name, counts] of countsOf(span, job, perJob)) {
        const key = JSON.stringify([at, name])
        const sum = found.get(key) ?? { at, job: name, counts: none() }
        found.set(key, sum)
        add(sum.counts, counts)
      }
    }
    return [...found.values()].map(({ at, job: name, counts }) => ({
      at: new Date(at),
      job: name,
      ...counts,
    }))
  }

  forget(job: string): void {
    for (const span of this.#spans) {
      if (!span.jobs.delete(job)) continue
      this.#jobCounts--
      span.jobs = new Map(span.jobs)
    }
  }

  #spanAt(at: number): Span {
    // The clock may have been set back.
    const known = this.#spans.find((span) => span.at === at && !span.day)
    if (known) return known
    const span: Span = { at, day: false, all: none(), jobs: new Map() }
    this.#spans.push(span)
    this.#spans.sort((a, b) => a.at - b.at)
    this.#compact(at)
    return span
  }

  /** Old hours become days, and what is too old goes. */
  #compact(now: number): void {
    const old = this.#spans.filter(({ at, day }) => !day && at < now - BY_HOUR_MS)
    for (const span of old) {
      const at = span.at - (span.at % DAY_MS)
      let day = this.#spans.find((other) => other.day && other.at === at)
      if (!day) {
        day = { at, day: true, all: none(), jobs: new Map() }
        this.#spans.push(day)
      }
      add(day.all, span.all)
      this.#jobCounts -= span.jobs.size
      this.#spans.splice(this.#spans.indexOf(span), 1)
    }
    this.#spans.sort((a, b) => a.at - b.at)
    while (this.#spans[0] && this.#spans[0].at < now - KEPT_MS) this.#spans.shift()
  }

  /** Forgets the counters of single jobs of the oldest hour. False when that is the one that is filled. */
  #dropJobs(filled: Span): boolean {
    const oldest = this.#spans.find(({ jobs }) => jobs.size > 0)
    if (!oldest || oldest === filled) return false
    this.#jobCounts -= oldest.jobs.size
    oldest.jobs = new Map()
    return true
  }
}

function countsOf(
  span: Span,
  job: string | undefined,
  perJob: boolean,
): Iterable<[string | undefined, Counts]> {
  if (job === undefined) return perJob ? span.jobs : [[undefined, span.all]]
  const counts = span.jobs.get(job)
  return counts ? [[job, counts]] : []
}

function none(): Counts {
  return { outcomes: {}, durations: {}, lateness: {} }
}

function count({ outcomes, durations, lateness }: Counts, { outcome, duration, late }: Counted): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  if (duration === undefined) return
  const length = classOf(duration)
  const lateBy = classOf(late)
  durations[length] = (durations[length] ?? 0) + 1
  lateness[lateBy] = (lateness[lateBy] ?? 0) + 1
}

function add(to: Counts, from: Counts): void {
  for (const [outcome, runs] of Object.entries(from.outcomes) as [Outcome, number][]) {
    to.outcomes[outcome] = (to.outcomes[outcome] ?? 0) + runs
  }
  addHistogram(to.durations, from.durations)
  addHistogram(to.lateness, from.lateness)
}
