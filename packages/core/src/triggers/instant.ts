import { EscapementError, show } from '../errors.ts'
import type { Zone } from './cron/zone.ts'
import { dateMs, LAST } from './step.ts'

/** An instant: a Date, milliseconds, an ISO string with an offset, or a local time (`'2026-12-24 09:00'`). */
export type Instant = Date | number | string

// As seconds these are the years from 1973 to 5138, as milliseconds the first three years after 1970.
const SECONDS = [1e8, 1e11] as const
// As microseconds the years from 1973 on, as milliseconds those from 5138 on.
const MICROSECONDS = [1e14, LAST] as const

const iso =
  /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(?:[ Tt](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?( ?[Zz]| ?[+-]\d\d:?\d\d)?)?$/

/** Whether it is read in a zone. */
export function isLocal(when: Instant): boolean {
  const parts = typeof when === 'string' ? iso.exec(when) : null
  return parts !== null && parts[8] === undefined
}

/** Reads an instant into ms, or throws `ERR_ESCAPEMENT_TRIGGER` naming `what`. */
export function readInstant(when: Instant, what: string, zone: Zone): number {
  const read =
    typeof when === 'string'
      ? readText(when, zone)
      : typeof when === 'number'
        ? readNumber(when)
        : dateMs(when)
  if (typeof read === 'number') return read
  throw new EscapementError(
    'ERR_ESCAPEMENT_TRIGGER',
    `${what}: expected a Date, milliseconds, "2026-12-24T09:00:00Z" or a local "2026-12-24 09:00", got ${show(when)}${read ? `: ${read}` : ''}`,
  )
}

/** What is read below: ms, or what is wrong. */
type Read = number | string | undefined

function readNumber(given: number): Read {
  if (!(Math.abs(given) <= LAST)) return undefined
  const ms = Math.floor(given)
  const size = Math.abs(ms)
  if (size >= SECONDS[0] && size < SECONDS[1]) return `it looks like seconds: write ${ms * 1000}`
  if (size >= MICROSECONDS[0] && size < MICROSECONDS[1])
    return `it looks like microseconds: write ${Math.floor(ms / 1000)}`
  return ms
}

function readText(text: string, zone: Zone): Read {
  const parts = iso.exec(text)
  if (!parts) return dateHint(text)
  const [year = 0, month = 0, day = 0, h = 0, m = 0, s = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const local = new Date(0)
  local.setUTCFullYear(year, month - 1, day)
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) return 'there is no such day'
  const offset = readOffset(parts[8])
  if (h > 23 || m > 59 || s > 59 || offset === null) return 'there is no such time'
  const ms = local.setUTCHours(h, m, s, Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0')))
  const instant = offset === undefined ? toInstant(ms, zone) : ms - offset
  return Math.abs(instant) <= LAST ? instant : undefined
}

/** In ms; undefined if there is none, null if it cannot be. */
function readOffset(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined
  const parts = /([+-])(\d\d):?(\d\d)$/.exec(text)
  if (!parts) return 0
  const [, sign, hours, minutes] = parts
  if (Number(hours) > 23 || Number(minutes) > 59) return null
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000)
}

/** For `24.12.2026`, `12-24-2026`, `2026/12/24`. */
function dateHint(text: string): string | undefined {
  const parts = /^(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})(?=$|[ T,])/.exec(text)
  if (!parts) return undefined
  const [first = '', second = '', third = ''] = parts.slice(1)
  const two = (part: string) => part.padStart(2, '0')
  if (first.length === 4) return `write "${first}-${two(second)}-${two(third)}"`
  // Which is the month, if both could be, is not guessed.
  const [month, day] =
    Number(second) > 12 ? [first, second] : Number(first) > 12 ? [second, first] : ['MM', 'DD']
  return third.length === 4 ? `write "${third}-${two(month)}-${two(day)}"` : undefined
}

/** The first instant at which the clocks of a zone show `local` (ms, as if it were UTC) or, in a gap, have passed it. */
export function toInstant(local: number, zone: Zone): number {
  let segment = zone.at(local - 2 * 86_400_000)
  while (local - segment.offset >= segment.end) segment = zone.at(segment.end)
  return Math.max(local - segment.offset, segment.start)
}
