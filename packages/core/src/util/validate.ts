import { EscapementError, show } from '../errors.ts'
import type { Duration } from '../types/index.ts'
import { parseDuration } from './duration.ts'
import { nearest } from './nearest.ts'

/** Options that had another name before 0.2. */
const RENAMED: ReadonlyMap<string, readonly [name: string, note?: string]> = new Map(
  Object.entries({
    catchUp: ['catchUpWindow'],
    onClaimError: ['onLockUnavailable'],
    redisDown: ['onLockUnavailable'],
    maxStarts: ['maxRestarts', ', and does not count the first start'],
    beat: ['heartbeat'],
    stale: ['lease'],
  }),
)

/**
 * What other libraries call an option, and what it may be called here. A name counts only where it is an option.
 * Names that differ by a typing error need no row.
 */
const OTHER_NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    tz: ['timezone', 'zone'],
    timeZone: ['timezone', 'zone'],
    zone: ['timezone'],
    retries: ['retry'],
    attempts: ['retry', 'retries'],
    maxRetries: ['retry', 'retries'],
    maxAttempts: ['retry', 'retries'],
    noOverlap: ['overlap'],
    preventOverrun: ['overlap'],
    protect: ['overlap'],
    maxConcurrency: ['concurrency'],
    concurrency: ['overlap'],
    limit: ['concurrency'],
    maxExecutionTime: ['timeout'],
    ttl: ['lease', 'timeout'],
    misfire: ['missed'],
    catchup: ['catchUpWindow'],
    recoverMissedExecutions: ['missed'],
    start: ['paused'],
    disabled: ['paused'],
    enabled: ['paused'],
    payload: ['data'],
    context: ['data'],
    startAt: ['from', 'start'],
    startDate: ['from', 'start'],
    endAt: ['until', 'end'],
    endDate: ['until', 'end'],
    stopAt: ['until', 'end'],
    randomDelay: ['spread'],
    client: ['clients', 'pool', 'redis'],
    redis: ['clients'],
    connection: ['clients', 'pool', 'redis', 'url'],
    path: ['file'],
    filename: ['file'],
    prefix: ['namespace', 'schema'],
    keyPrefix: ['namespace', 'prefix'],
    namespace: ['prefix'],
    log: ['logger'],
    signal: ['signals'],
    gracePeriod: ['grace'],
    channel: ['channels'],
  }),
)

/** Options of other libraries for which jobs have a method. */
const RUN_AT_START = new Set(['runOnInit', 'runOnStart', 'immediate'])

/**
 * Refuses what is no object, and keys that are no options, with a hint at the option that was meant.
 *
 * @param known The options there are, as keys.
 * @param what What the keys are called, e.g. `'job option'`, `'redisLock() option'`.
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function checkKeys(given: unknown, known: Readonly<Record<string, unknown>>, what: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    fail(`${what}s`, 'an object', given)
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(known, key)) continue
    const names = Object.keys(known)
    const [renamed, note = ''] = RENAMED.get(key) ?? []
    if (renamed !== undefined && Object.hasOwn(known, renamed)) {
      const message = `the ${what} ${key} is called ${renamed} now${note}`
      throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
    }
    if (RUN_AT_START.has(key) && Object.hasOwn(known, 'overlap')) {
      const instead = 'ask for a run when the scheduler has started: scheduler.run(name)'
      throw new EscapementError('ERR_ESCAPEMENT_OPTION', `there is no ${what} ${show(key)}: ${instead}`)
    }
    const meant = OTHER_NAMES.get(key)?.find((name) => Object.hasOwn(known, name)) ?? nearest(key, names)
    const hint = meant ? `did you mean ${meant}?` : `expected one of ${names.join(', ')}`
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', `there is no ${what} ${show(key)}: ${hint}`)
  }
}

export function fail(option: string, expected: string, given: unknown): never {
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', `${option} must be ${expected}, but is ${show(given)}`)
}

export function oneOf<const T extends string>(option: string, given: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(given as T)) fail(option, allowed.map((name) => `'${name}'`).join(' or '), given)
  return given as T
}

export function number(option: string, given: unknown, min: number, max: number): number {
  if (typeof given !== 'number' || !(given >= min && given <= max)) {
    fail(option, max === Infinity ? `a number of at least ${min}` : `a number from ${min} to ${max}`, given)
  }
  return given
}

export function text(option: string, given: unknown): string | undefined {
  if (given !== undefined && typeof given !== 'string') fail(option, 'a string', given)
  return given
}

export function integer(option: string, given: unknown, min: number, max: number = Infinity): number {
  if (!Number.isSafeInteger(given) || (given as number) < min || (given as number) > max) {
    fail(
      option,
      max === Infinity ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
      given,
    )
  }
  return given as number
}

export function flag(option: string, given: unknown): boolean {
  if (typeof given !== 'boolean') fail(option, 'true or false', given)
  return given
}

/** Milliseconds of a duration. @throws ERR_ESCAPEMENT_DURATION */
export function duration(option: string, given: unknown, limits?: { min?: number; max?: number }): number {
  return parseDuration(given as Duration, option, limits)
}

// biome-ignore lint/suspicious/noExplicitAny: any function will do
export function func<T extends (...args: any[]) => unknown>(
  option: string,
  given: T | undefined,
): T | undefined {
  if (given !== undefined && typeof given !== 'function') fail(option, 'a function', given)
  return given
}

export function withMethod<T extends object>(
  option: string,
  given: T | undefined,
  method: keyof T & string,
): T | undefined {
  if (given !== undefined && typeof given?.[method] !== 'function') {
    fail(option, `an object with a method ${method}()`, given)
  }
  return given
}

/** How far a run is. @throws ERR_ESCAPEMENT_OPTION */
export function checkFraction(given: unknown): void {
  if (typeof given === 'number' && given >= 0 && given <= 1) return
  const message = `progress() takes a fraction from 0 to 1, but got ${show(given)}`
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
}
