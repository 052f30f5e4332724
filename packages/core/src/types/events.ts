import type { Job, PauseInfo, Run } from './job.ts'
import type { Outcome } from './outcome.ts'

/**
 * What a scheduler tells its listeners. Each outcome is an event of its own name; `settled` follows it
 * whatever the outcome. Plugins add theirs by augmenting this interface.
 */
export interface EventMap extends Record<Outcome, [run: Run]> {
  /** The handler is about to be called for the first time. */
  running: [run: Run]
  /** An attempt failed and another one follows after `delay` ms. */
  'waiting-retry': [run: Run, info: { error: unknown; delay: number }]
  /** A run ended or a tick was decided without running. Comes after the event of the outcome. */
  settled: [run: Run]
  /** A run is under way for longer than the job's `slow`. */
  slow: [run: Run]
  /** The handler called `run.progress()`. */
  progress: [run: Run, info: { fraction: number; note?: string }]
  /** A run was aborted and its handler did not settle in time. The run has ended; the code may still work. */
  'ignored-abort': [run: Run]
  /** A hook, listener, trigger or store threw. Nothing else was harmed by it. */
  error: [error: unknown, where: { source: string; run?: Run; job?: string }]
  /** The wall clock moved by `by` ms against the monotonic clock, or the machine slept. */
  'clock-step': [info: { by: number }]
  /** The watchdog found a job that should have been armed, and armed it. */
  rearmed: [job: Job]
  /** All jobs were paused, or their common pause has ended. */
  'all-paused': [info: PauseInfo]
  'all-resumed': [info: PauseInfo]
  added: [job: Job]
  removed: [job: Job]
  paused: [job: Job, info: PauseInfo]
  resumed: [job: Job, info: PauseInfo]
  /** The scheduler's own life. */
  start: []
  drain: []
  stop: [info: { clean: boolean }]
}

export type Listener<K extends keyof EventMap> = (...args: EventMap[K]) => unknown

/** Calls listeners when something happens. */
export interface Events {
  /** Subscribes. Returns the undo. What a listener throws harms nothing else. */
  on<K extends keyof EventMap>(event: K, listener: Listener<K>): () => void
  emit<K extends keyof EventMap>(event: K, first?: EventMap[K][0], second?: EventMap[K][1]): void
}
