import type { Clock } from '../types/index.ts'

/**
 * The machine's clock. Each function is looked up when it is called, so that the fake timers of a test take effect
 * whenever they are installed.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => {
    // Node's own timer may be cleared when fake ones are installed, which do not know it.
    const { close } = timer as { close?: () => unknown }
    if (close) close.call(timer)
    else clearTimeout(timer as NodeJS.Timeout)
  },
  setImmediate: (callback) => void setImmediate(callback),
}
