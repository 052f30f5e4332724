import { EscapementError } from '../errors.ts'
import { isIncluded } from '../triggers/calendar.ts'
import { findZone } from '../triggers/cron/find-zone.ts'
import { calendar } from '../triggers/index.ts'
import { bound } from '../triggers/with-defaults.ts'
import type {
  Calendar,
  CalendarLike,
  JobDefaults,
  JobOptions,
  Keep,
  Policies,
  Retry,
  RetryOptions,
  Schema,
  TriggerDefaults,
} from '../types/index.ts'
import { formatDuration, parseDuration } from '../util/duration.ts'
import { isPromise } from '../util/promise.ts'
import { MAX_TIMER } from '../util/time.ts'
import { checkKeys, fail, flag, func, integer, number, oneOf, text, withMethod } from '../util/validate.ts'

/** The names of options that also a scheduler has, for all of its jobs. */
export const DEFAULTS: Readonly<Record<keyof JobDefaults, 1>> = {
  timezone: 1,
  dst: 1,
  missed: 1,
  catchUpWindow: 1,
  overlap: 1,
  retry: 1,
  timeout: 1,
  slow: 1,
  spread: 1,
  blackout: 1,
  onAbandoned: 1,
  onLockUnavailable: 1,
  executor: 1,
  keep: 1,
  owner: 1,
  runbook: 1,
}

const KNOWN = {
  ...DEFAULTS,
  priority: 1,
  maxQueued: 1,
  schema: 1,
  data: 1,
  paused: 1,
  description: 1,
  group: 1,
  role: 1,
  formerly: 1,
} satisfies Record<keyof JobOptions, 1> // prettier-ignore

/**
 * Checks a job's options.
 *
 * @param seed The job's name: settles `H` in a blackout.
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parsePolicies(options: JobOptions, defaults: JobDefaults, seed?: string): Policies {
  checkKeys(options, KNOWN, 'job option')
  const given: JobOptions = { ...defaults, ...options }
  flag('paused', given.paused ?? false)
  const { timezone, dst } = given
  if (timezone !== undefined) findZone(timezone)
  if (dst !== undefined) oneOf('dst', dst, ['vixie', 'skip', 'shift'])
  return {
    missed: oneOf('missed', given.missed ?? 'latest', ['latest', 'all', 'skip']),
    catchUpWindow: parseDuration(given.catchUpWindow ?? '24h', 'catchUpWindow', { min: 0 }),
    overlap: oneOf('overlap', given.overlap ?? 'skip', ['skip', 'queue', 'cancel-previous', 'allow']),
    retry: given.retry === undefined ? undefined : parseRetry(given.retry),
    timeout:
      given.timeout === undefined
        ? undefined
        : parseDuration(given.timeout, 'timeout', { min: 1, max: MAX_TIMER }),
    slow: parseDuration(given.slow ?? '30m', 'slow', { min: 1 }),
    spread: parseDuration(given.spread ?? 0, 'spread', { min: 0, max: 86_400_000 }),
    priority: integer('priority', given.priority ?? 0, -1000, 1000),
    maxQueued: integer('maxQueued', given.maxQueued ?? 1000, 1),
    blackout:
      given.blackout === undefined ? undefined : parseBlackout(given.blackout, { timezone, dst, seed }),
    onAbandoned: oneOf('onAbandoned', given.onAbandoned ?? 'record', ['record', 'rerun']),
    onLockUnavailable: oneOf('onLockUnavailable', given.onLockUnavailable ?? 'skip', ['skip', 'run']),
    executor: withMethod('executor', given.executor, 'execute'),
    schema: parseSchema(given.schema),
    keep: parseKeep(given.keep ?? {}),
    description: text('description', given.description),
    owner: text('owner', given.owner),
    runbook: text('runbook', given.runbook),
    group: text('group', given.group),
    role: text('role', given.role),
    formerly: text('formerly', given.formerly),
  }
}

const DEFAULT_DELAY = 1_000
const DEFAULT_MAX = 300_000
const DEFAULT_JITTER = 0.5

/** No default shortens what was given: neither `maxDelay` nor `jitter` applies by itself to a delay of the user's. */
function parseRetry(retry: number | RetryOptions): Retry {
  const given: RetryOptions = typeof retry === 'object' ? retry : { retries: retry }
  checkKeys(given, { retries: 1, backoff: 1, delay: 1, maxDelay: 1, jitter: 1, retryIf: 1 }, 'retry option')
  const retries = integer(given === retry ? 'retry.retries' : 'retry', given.retries, 0, 1000)
  const backoff = given.backoff ?? 'exponential'
  if (typeof backoff !== 'function') oneOf('retry.backoff', backoff, ['exponential', 'fixed'])
  else if (given.delay !== undefined) {
    fail('retry.delay', 'left out when retry.backoff is a function, which says it', given.delay)
  }
  const limits = { min: 0, max: MAX_TIMER }
  const first = parseDuration(given.delay ?? DEFAULT_DELAY, 'retry.delay', limits)
  const max =
    given.maxDelay === undefined ? undefined : parseDuration(given.maxDelay, 'retry.maxDelay', limits)
  if (given.delay !== undefined && max !== undefined && first > max) {
    fail('retry.delay', `at most retry.maxDelay, ${formatDuration(max)}`, given.delay)
  }
  const explicit = given.delay !== undefined || given.backoff !== undefined
  const jitter = number('retry.jitter', given.jitter ?? (explicit ? 0 : DEFAULT_JITTER), 0, 1)
  const retryIf = func('retry.retryIf', given.retryIf) ?? (() => true)
  const full = (retry: number, error: unknown): number => {
    if (typeof backoff === 'function') {
      const said = plain('retry.backoff', backoff(retry, error))
      return Math.min(parseDuration(said, 'what retry.backoff returned', limits), max ?? MAX_TIMER)
    }
    const ms = backoff === 'fixed' ? first : first * 2 ** (retry - 1)
    return Math.min(ms, max ?? Math.max(DEFAULT_MAX, first))
  }
  return {
    retries,
    retryIf: (error) => Boolean(plain('retry.retryIf', retryIf(error))),
    delay: (retry, error) => full(retry, error) * (1 - jitter * Math.random()),
  }
}

/** What a function of the user's has returned, unless it is a promise: that would be taken for true. */
function plain<T>(option: string, returned: T): T {
  if (!isPromise(returned)) return returned
  Promise.resolve(returned).catch(() => {})
  return fail(option, 'a function that answers at once', returned)
}

function parseKeep(keep: Partial<Keep>): Keep {
  checkKeys(keep, { ...KEEP_ALL }, 'keep option')
  for (const [what, kept] of Object.entries(keep)) flag(`keep.${what}`, kept)
  return Object.keys(keep).length === 0 ? KEEP_ALL : { ...KEEP_ALL, ...keep }
}

const KEEP_ALL: Keep = { data: true, result: true, logs: true }

function parseBlackout(blackout: CalendarLike, defaults: TriggerDefaults): Calendar {
  try {
    const given = bound(calendar(blackout), defaults)
    return { includes: (instant) => isIncluded(given.includes(instant)) }
  } catch (error) {
    if (!(error instanceof EscapementError)) throw error
    const code = error.code === 'ERR_ESCAPEMENT_TRIGGER' ? 'ERR_ESCAPEMENT_OPTION' : error.code
    throw new EscapementError(code, `blackout: ${error.message}`)
  }
}

function parseSchema(schema: Schema | undefined): Schema | undefined {
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function') {
    fail('schema', 'a Standard Schema, as zod, valibot and arktype make them', schema)
  }
  return schema
}
