import type { Timer } from '@escapement/core'
import { Machine } from './machine.ts'

/**
 * Leads what the code under test takes from the host, by way of its globals, to the machine whose process is running.
 * Returns its undo.
 */
export function simulateGlobals(): () => void {
  const real = {
    setTimeout,
    clearTimeout,
    setImmediate,
    clearImmediate,
    random: Math.random,
    now: performance.now,
    date: Date.now,
  }
  const machine = () => Machine.running
  const set = (name: string, value: unknown) => Object.assign(globalThis, { [name]: value })
  set(
    'setTimeout',
    (callback: () => void, ms = 0, ...args: never[]) =>
      machine()?.clock.setTimeout(() => (callback as (...args: never[]) => void)(...args), ms) ??
      real.setTimeout(callback, ms),
  )
  set('clearTimeout', (timer: Timer | undefined) =>
    timer && 'event' in timer ? machine()?.clock.clearTimeout(timer) : real.clearTimeout(timer as never),
  )
  set('setImmediate', (callback: () => void) => machine()?.immediate(callback) ?? real.setImmediate(callback))
  set('clearImmediate', (handle: { over: boolean } | undefined) => {
    if (handle && 'over' in handle) handle.over = true
    else real.clearImmediate(handle as never)
  })
  Math.random = () => machine()?.random.next() ?? real.random()
  performance.now = () => machine()?.clock.monotonic() ?? real.now.call(performance)
  Date.now = () => machine()?.clock.now() ?? real.date()
  return () => {
    for (const name of ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] as const)
      set(name, real[name])
    Math.random = real.random
    performance.now = real.now
    Date.now = real.date
  }
}
