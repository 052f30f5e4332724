import { EscapementError, show } from '../errors.ts'
import type { Trigger } from '../interfaces.ts'
import type { Bindable, TriggerDefaults } from './bind.ts'
import { findZone, systemZone } from './cron/find-zone.ts'
import type { Zone } from './cron/zone.ts'

/** An instant: a Date, milliseconds, an ISO string with an offset, or a local time (`'2026-12-24 09:00'`). */
export type Instant = Date | number | string

export interface AtOptions {
  /** The zone local times are read in. Default: the scheduler's, else the zone of the process. */
  readonly timezone?: string | undefined
}

/**
 * Once at an instant, or at several: `at([...])`. A local time lost in a DST gap is the first instant after it,
 * a repeated one is the first.
 *
 * @throws `ERR_ESCAPEMENT_TRIGGER`, `ERR_ESCAPEMENT_TIMEZONE`
 * @example
 * at('2026-12-24T09:00:00Z')
 * at('2026-12-24 09:00', { timezone: 'Europe/Berlin' })
 */
export function at(when: Instant | readonly Instant[], { timezone }: AtOptions = {}): Trigger {
  return new At(Array.isArray(when) ? when : [when as Instant], timezone, {})
}

class At implements Trigger, Bindable {
  readonly expression: string
  readonly timezone?: string
  readonly #when: readonly Instant[]
  readonly #given: string | undefined
  readonly #instants: number[]

  constructor(when: readonly Instant[], given: string | undefined, defaults: TriggerDefaults) {
    const zone = findZone(given ?? defaults.timezone ?? systemZone())
    this.#when = when
    this.#given = given
    this.#instants = when.map((one) => readInstant(one, 'at', zone)).sort((a, b) => a - b)
    if (this.#instants.length === 0) {
      throw new EscapementError('ERR_ESCAPEMENT_TRIGGER', 'at: expected an instant, got none')
    }
    const rest = this.#instants.length > 1 ? ` and ${this.#instants.length - 1} more` : ''
    this.expression = `at ${new Date(this.#instants[0] as number).toISOString()}${rest}`
    if (when.some(isLocal)) this.timezone = zone.name
  }

  next(after: Date): Date | undefined {
    const ms = after.getTime()
    const found = this.#instants.find((instant) => instant > ms)
    return found === undefined ? undefined : new Date(found)
  }

  withDefaults(defaults: TriggerDefaults): Trigger {
    if (this.#given !== undefined || this.timezone === undefined) return this
    return new At(this.#when, undefined, defaults)
  }
}

const local = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?$/

function isLocal(when: Instant): boolean {
  return typeof when === 'string' && local.test(when)
}

/** Reads an instant into ms, or throws `ERR_ESCAPEMENT_TRIGGER` naming `what`. */
export function readInstant(when: Instant, what: string, zone: Zone): number {
  const parts = typeof when === 'string' ? local.exec(when) : null
  const ms = parts
    ? readLocal(
        parts.slice(1).map((part, i) => Number((i === 6 ? part?.padEnd(3, '0') : part) ?? 0)),
        zone,
      )
    : typeof when === 'string'
      ? /[zZ]$|[+-]\d\d:?\d\d$/.test(when)
        ? Date.parse(when)
        : Number.NaN
      : Number(when)
  if (Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 && (typeof when !== 'object' || when instanceof Date))
    return ms
  throw new EscapementError(
    'ERR_ESCAPEMENT_TRIGGER',
    `${what}: expected a Date, milliseconds, "2026-12-24T09:00:00Z" or a local "2026-12-24 09:00", got ${show(when)}`,
  )
}

function readLocal(
  [year = 0, month = 0, day = 0, h = 0, m = 0, s = 0, ms = 0]: number[],
  zone: Zone,
): number {
  const wanted = Date.UTC(year, month - 1, day, h, m, s, ms)
  const back = new Date(wanted)
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || h > 23 || m > 59 || s > 59)
    return Number.NaN
  return toInstant(wanted, zone)
}

/** The first instant at which the clocks of a zone show `local` (ms, as if it were UTC) or, in a gap, have passed it. */
export function toInstant(local: number, zone: Zone): number {
  let segment = zone.at(local - 2 * 86_400_000)
  while (local - segment.offset >= segment.end) segment = zone.at(segment.end)
  return Math.max(local - segment.offset, segment.start)
}
