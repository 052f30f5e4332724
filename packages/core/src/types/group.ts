import type { Maybe } from './values.ts'

export interface GroupOptions {
  /** Tasks at a time. Default: all. */
  limit?: number
}

/** Tasks that belong together: none outlives the attempt that started it. */
export interface Group {
  /** Aborts when a task has failed, or the run's signal has. */
  readonly signal: AbortSignal
  /** Starts a task, now or when there is room. Its own promise need not be awaited. */
  add<T>(task: (signal: AbortSignal) => Maybe<T>): Promise<T>
  /** Waits for all; throws the first error after the others have settled. */
  done(): Promise<void>
}
