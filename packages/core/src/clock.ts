import { performance } from 'node:perf_hooks'
import type { Clock, Timer } from './interfaces.ts'

// Bound once: a quarter faster than the method.
const monotonic = performance.now.bind(performance)

/** The machine's clock. */
export const systemClock: Clock = {
  now: Date.now,
  monotonic,
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer: Timer) => clearTimeout(timer as NodeJS.Timeout),
  setImmediate: (callback) => void setImmediate(callback),
}
