import type { Timer } from '@escapement/core'
import { Machine } from './machine.ts'

type Callback = (...args: unknown[]) => void

const TIMERS = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
] as const

/**
 * Leads what the code under test takes from the host, by way of its globals, to the machine whose process is running.
 * What no process of the world does may not look at real time or real chance, except where `Machine.outside` is set.
 *
 * @param breach Told of each look at real time or chance; the look throws besides.
 * @returns Its undo.
 */
export function simulateGlobals(breach: (what: string) => void): () => void {
  const timers = Object.fromEntries(TIMERS.map((name) => [name, globalThis[name]])) as Pick<
    typeof globalThis,
    (typeof TIMERS)[number]
  >
  const machine = (what: string): Machine | undefined => {
    if (Machine.running || Machine.outside || isOfHost()) return Machine.running
    breach(what)
    throw new Error(`${what} would be that of the real world: no process of the simulation is running`)
  }
  simulateTimers(timers, machine)
  const undo = [
    replace(Math, 'random', (real) => () => machine('Math.random()')?.random.next() ?? real.call(Math)),
    replace(
      performance,
      'now',
      (real) => () => machine('performance.now()')?.clock.monotonic() ?? real.call(performance),
    ),
    replace(Date, 'now', (real) => () => machine('Date.now()')?.clock.now() ?? real.call(Date)),
    replace(
      crypto,
      'randomUUID',
      (real) => () => machine('crypto.randomUUID()')?.uuid() ?? real.call(crypto),
    ),
  ]
  return () => {
    Object.assign(globalThis, timers)
    for (const put of undo) put()
  }
}

/** Where the code of the world stands: the rest of this process, as a test runner with its timers, is none of the world. */
const OF_WORLD = /simulation\/(?:test|dist\/code)|\/packages\//

function isOfHost(): boolean {
  return !OF_WORLD.test(new Error('who asks').stack ?? '')
}

function replace<T, K extends keyof T>(on: T, name: K, make: (real: T[K]) => T[K]): () => void {
  const own = Object.getOwnPropertyDescriptor(on, name)
  Object.defineProperty(on, name, { value: make(on[name]), configurable: true, writable: true })
  return () => {
    if (own) Object.defineProperty(on, name, own)
    else delete on[name]
  }
}

/** What was set from outside, as the timers of a real database are, runs outside, whoever of the world ran last. */
function outside(callback: Callback): Callback {
  return (...args) => {
    const before = { running: Machine.running, outside: Machine.outside }
    Object.assign(Machine, { running: undefined, outside: true })
    try {
      callback(...args)
    } finally {
      Object.assign(Machine, before)
    }
  }
}

function simulateTimers(
  real: Pick<typeof globalThis, (typeof TIMERS)[number]>,
  machine: (what: string) => Machine | undefined,
): void {
  const clear = (timer: Timer | undefined) =>
    timer && 'event' in timer ? Machine.clear(timer) : real.clearTimeout(timer as never)
  const forget = (handle: { over: boolean } | undefined) => {
    if (handle && 'over' in handle) handle.over = true
    else real.clearImmediate(handle as never)
  }
  Object.assign(globalThis, {
    setTimeout: (callback: Callback, ms = 0, ...args: unknown[]) =>
      machine('setTimeout()')?.clock.setTimeout(() => callback(...args), ms) ??
      real.setTimeout(outside(callback), ms, ...args),
    clearTimeout: clear,
    setInterval: (callback: Callback, ms = 0, ...args: unknown[]) =>
      machine('setInterval()')?.every(() => callback(...args), ms) ??
      real.setInterval(outside(callback), ms, ...args),
    clearInterval: clear,
    setImmediate: (callback: Callback, ...args: unknown[]) =>
      machine('setImmediate()')?.immediate(() => callback(...args)) ??
      real.setImmediate(outside(callback), ...args),
    clearImmediate: forget,
  })
}
