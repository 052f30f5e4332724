import type { Outcome } from './outcome.ts'

/** Which counters are asked for. They are kept by hour for 30 days, and by day for 400. */
export interface StatsQuery {
  from: Date | number
  /** Default now. */
  until?: Date | number
  /** Hours and days of UTC. Default `'hour'`. */
  step?: 'hour' | 'day'
  /** Of one job. Default: of all together. */
  job?: string
  /** Of each job apart. */
  perJob?: boolean
}

/**
 * How many lengths of time fell into each class of a fixed scale: class `i` holds those above `1.1 ** (i - 1)` and up to
 * `1.1 ** i` ms, class 0 what is up to 1 ms. Any share of them is known within 5 %.
 */
export type Histogram = Readonly<Record<number, number>>

/** What was counted in one hour or day. Counters outlive the records. */
export interface RunCounts {
  /** Its begin. */
  readonly at: Date
  /** Undefined: all jobs together. */
  readonly job: string | undefined
  readonly outcomes: { readonly [O in Outcome]?: number }
  /** From the first attempt's start to the end, of runs that began. */
  readonly durations: Histogram
  /** How long after their instants they were started. */
  readonly lateness: Histogram
}

/** What was counted, and what is usual. */
export interface RunStats extends RunCounts {
  /** Runs that began. */
  readonly runs: number
  /** Half of the durations are below `p50` ms, 95 % below `p95`; undefined when nothing ran. */
  readonly p50: number | undefined
  readonly p95: number | undefined
}
