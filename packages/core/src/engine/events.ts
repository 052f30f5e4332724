import { EscapementError, show } from '../errors.ts'
import { detached } from '../run/context.ts'
import { OUTCOMES } from '../run/outcomes.ts'
import type { EventMap, Events, Listener } from '../types/index.ts'
import { nearest } from '../util/nearest.ts'
import { isPromise } from '../util/promise.ts'
import { fail } from '../util/validate.ts'

/** A typed emitter whose listeners cannot harm it: what they throw or reject goes to `onError`. */
export class EventBus implements Events {
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
  ...OUTCOMES,
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
