import { fail } from './check.ts'
import { isPromise } from './compose.ts'
import { detached } from './context.ts'
import { EscapementError, show } from './errors.ts'
import type { Outcome, Run } from './interfaces.ts'
import type { Job } from './job.ts'
import { nearest } from './nearest.ts'

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
  added: [job: Job]
  removed: [job: Job]
  paused: [job: Job, info: PauseInfo]
  resumed: [job: Job, info: PauseInfo]
  /** The scheduler's own life. */
  start: []
  drain: []
  stop: [info: { clean: boolean }]
}

/** Who paused or resumed a job, and why. */
export interface PauseInfo {
  by?: string
  reason?: string
}

type Listener<K extends keyof EventMap> = (...args: EventMap[K]) => unknown

/** A typed emitter whose listeners cannot harm it: what they throw or reject goes to `onError`. */
export class Events {
  #listeners = new Map<string, Listener<never>[]>()
  #onError: (error: unknown, event: string) => void

  constructor(onError: (error: unknown, event: string) => void) {
    this.#onError = onError
  }

  /** Subscribes. Returns the undo. */
  on = <K extends keyof EventMap>(event: K, listener: Listener<K>): (() => void) => {
    checkEvent(event)
    if (typeof listener !== 'function') fail(`the listener of '${event}'`, 'a function', listener)
    // Copied on write, so that listeners may come and go while an event is under way.
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener])
    return () => {
      const left = this.#listeners.get(event)?.filter((other) => other !== listener)
      if (left?.length) this.#listeners.set(event, left)
      else this.#listeners.delete(event)
    }
  }

  // No rest parameter: an array for each event that nobody listens to adds up.
  emit = <K extends keyof EventMap>(event: K, first?: EventMap[K][0], second?: EventMap[K][1]): void => {
    if (this.#listeners.size === 0) return
    const listeners = this.#listeners.get(event) as ((...args: unknown[]) => unknown)[] | undefined
    if (!listeners) return
    for (const listener of listeners) {
      try {
        const returned = detached(() => listener(first, second))
        if (isPromise(returned)) Promise.resolve(returned).catch((error) => this.#onError(error, event))
      } catch (error) {
        this.#onError(error, event)
      }
    }
  }
}

const NAMES = [
  'succeeded',
  'failed',
  'timed-out',
  'cancelled',
  'lease-lost',
  'abandoned',
  'missed',
  'skipped',
  'running',
  'waiting-retry',
  'settled',
  'slow',
  'progress',
  'ignored-abort',
  'error',
  'clock-step',
  'rearmed',
  'added',
  'removed',
  'paused',
  'resumed',
  'start',
  'drain',
  'stop',
] as const satisfies (keyof EventMap)[]

/** Plugins have events of their own: only a name that looks like a misspelt one is refused. */
function checkEvent(event: unknown): void {
  if (typeof event !== 'string') fail('the name of an event', 'a string', event)
  if ((NAMES as readonly string[]).includes(event)) return
  // `clock-skew` of redis-lock is two characters from `clock-step`.
  const meant = nearest(event, NAMES, 1)
  if (!meant) return
  throw new EscapementError(
    'ERR_ESCAPEMENT_OPTION',
    `there is no event ${show(event)}: did you mean '${meant}'?`,
  )
}
