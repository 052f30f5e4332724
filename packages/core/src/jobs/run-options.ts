import { EscapementError } from '../errors.ts'
import { findZone } from '../triggers/cron/find-zone.ts'
import { readInstant } from '../triggers/instant.ts'
import type { Asked, Pause, PauseOptions, RunOptions, RunRequest } from '../types/index.ts'
import { checkKeys, duration, fail, flag, text } from '../util/validate.ts'
import type { JobEntry } from './job-entry.ts'

const KNOWN = {
  wait: 1,
  key: 1,
  at: 1,
  in: 1,
  expires: 1,
  by: 1,
  reason: 1,
} satisfies Record<keyof RunOptions, 1>

/** How long a request may wait for its run, in ms. */
const EXPIRES_MS = 86_400_000

/** How a run is asked for, checked. */
export interface CheckedOptions extends Pick<RunRequest, 'key' | 'at' | 'expires' | 'asked'> {
  readonly wait: boolean
}

/**
 * Checks how a run is asked for.
 *
 * @param job Undefined when only another instance has it.
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseRunOptions(
  options: RunOptions | undefined,
  { job, data, now, timezone }: { job?: JobEntry | undefined; data: unknown; now: number; timezone: string },
): CheckedOptions {
  if (options === undefined) checkNoOptions(job, data)
  const given = options ?? {}
  checkKeys(given, KNOWN, 'run option')
  const at = instantOf(given, now, timezone)
  return {
    wait: flag('wait', given.wait ?? false),
    key: keyOf(given.key),
    at,
    expires: at + (given.expires === undefined ? EXPIRES_MS : duration('expires', given.expires, { min: 1 })),
    asked: askedOf(text('by', given.by), text('reason', given.reason)),
  }
}

function instantOf({ at, in: delay }: RunOptions, now: number, timezone: string): number {
  if (at !== undefined && delay !== undefined) fail('in', 'left out when at is given', delay)
  if (delay !== undefined) return now + duration('in', delay, { min: 0 })
  return at === undefined ? now : Math.max(now, readTime('at', at, timezone))
}

function keyOf(key: unknown): string | undefined {
  const given = text('key', key)
  if (given !== undefined && (given === '' || given.length > 200))
    fail('key', 'a text of 1 to 200 characters', given)
  return given
}

/** Checks who asks for something, and why. @throws ERR_ESCAPEMENT_OPTION */
export function parseAsked(given: Asked, what: string): Asked {
  checkKeys(given, { by: 1, reason: 1 }, what)
  return askedOf(text('by', given.by), text('reason', given.reason)) ?? {}
}

/**
 * Checks how a job is paused.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parsePause(
  given: PauseOptions,
  { job, now, timezone }: { job: string | undefined; now: number; timezone: string },
): Pause {
  checkKeys(given, { by: 1, reason: 1, until: 1, for: 1 }, 'pause option')
  const { until, for: length } = given
  if (until !== undefined && length !== undefined) fail('for', 'left out when until is given', length)
  const end =
    length === undefined
      ? until === undefined
        ? undefined
        : readTime('until', until, timezone)
      : now + duration('for', length, { min: 1 })
  if (end !== undefined && end <= now) fail('until', 'an instant that is to come', until)
  return {
    job,
    at: new Date(now),
    ...(end !== undefined && { until: new Date(end) }),
    ...askedOf(text('by', given.by), text('reason', given.reason)),
  }
}

function readTime(option: string, given: Date | number | string, timezone: string): number {
  try {
    return readInstant(given, option, findZone(timezone))
  } catch (error) {
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', (error as Error).message)
  }
}

function askedOf(by: string | undefined, reason: string | undefined): Asked | undefined {
  if (by === undefined && reason === undefined) return undefined
  return { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) }
}

/** Options in the place of the data are a mistake. */
function checkNoOptions(job: JobEntry | undefined, data: unknown): void {
  if (job?.policies.schema || typeof data !== 'object' || data === null || !('wait' in data)) return
  if (Object.keys(data).length !== 1 || typeof data.wait !== 'boolean') return
  const message = `run() takes its options after the data: run(undefined, { wait: ${data.wait} }), or run(data, {}) if this is the data`
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
}
