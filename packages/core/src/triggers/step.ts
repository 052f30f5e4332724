import { EscapementError, show } from '../errors.ts'
import type { Trigger } from '../types/index.ts'

/** The last instant a Date can hold, in ms. */
export const LAST = 8.64e15

/** A Date, also where `ms` is beyond the first or the last one there is. */
export function dateAt(ms: number): Date {
  return new Date(Math.min(Math.max(ms, -LAST), LAST))
}

/** The ms of a valid Date; undefined for all else. Dates of other realms and of fake timers are Dates, too. */
export function dateMs(value: unknown): number | undefined {
  const date = value as Partial<Date> | null | undefined
  const ms: unknown = typeof date?.getTime === 'function' ? date.getTime() : undefined
  return typeof ms === 'number' && Math.abs(ms) <= LAST ? ms : undefined
}

/** The ms of the Date that `next()` was asked with; NaN if it is invalid: nothing comes after that. */
export function msOf(after: Date): number {
  if (typeof after?.getTime === 'function') return after.getTime()
  throw new EscapementError('ERR_ESCAPEMENT_TRIGGER', `next: expected a Date, got ${show(after)}`)
}

/**
 * As `trigger.next()` of a trigger that may be anybody's: a valid Date after `after`, or nothing.
 *
 * @throws ERR_ESCAPEMENT_TRIGGER if it gives anything else, and what it throws.
 */
export function nextOf(trigger: Trigger, after: Date): Date | undefined {
  const found: unknown = trigger.next(after)
  if (found === undefined || found === null) return undefined
  const ms = dateMs(found)
  const who = `the trigger ${show(nameOf(trigger))}`
  if (ms === undefined) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_TRIGGER',
      `${who} must give a Date or undefined, but next() gave ${shown(found)}`,
    )
  }
  if (ms > after.getTime()) return found instanceof Date ? found : new Date(ms)
  throw new EscapementError(
    'ERR_ESCAPEMENT_TRIGGER',
    `${who} must give an instant after ${show(after)}, but gave ${show(new Date(ms))}`,
  )
}

/** How a trigger is called where it has no expression. */
export function nameOf({ expression }: Trigger): string {
  return typeof expression === 'string' ? expression : 'custom'
}

function shown(found: unknown): string {
  const { then } = Object(found) as Partial<Promise<unknown>>
  if (typeof then !== 'function') return show(found)
  // Nobody waits for it: without this its rejection would end the process.
  Promise.resolve(found).catch(() => {})
  return 'a promise'
}
