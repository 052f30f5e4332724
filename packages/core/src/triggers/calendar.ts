import { EscapementError, show } from '../errors.ts'
import type { Calendar, CalendarLike, CalendarSpec, Trigger, TriggerDefaults } from '../types/index.ts'
import { formatDuration, wholeDuration } from '../util/duration.ts'
import { checkKeys } from '../util/validate.ts'
import { weekdays as weekdayNames } from './cron/fields.ts'
import { findZone, zoneOf } from './cron/find-zone.ts'
import type { Zone } from './cron/zone.ts'
import { isTrigger, part } from './nested.ts'
import { dateAt, nameOf, nextOf } from './step.ts'
import { type Bindable, bound } from './with-defaults.ts'

/** A calendar that knows how long its present answer holds, so that whole stretches can be skipped. */
export interface Stretch extends Calendar {
  /** An instant after `instant`, up to which `includes` does not change. */
  until?(instant: Date): Date | undefined
  readonly expression?: string
}

/**
 * A set of instants, for `except` and for blackouts.
 *
 * @throws `ERR_ESCAPEMENT_TRIGGER`, `ERR_ESCAPEMENT_TIMEZONE`, `ERR_ESCAPEMENT_DURATION`
 * @example
 * calendar({ dates: ['2026-10-01..2026-10-07'], timezone: 'Asia/Shanghai' })
 * calendar({ weekdays: ['SAT', 'SUN'], daily: '22:00-06:00' })
 * calendar({ opens: '0 2 * * SUN', for: '3h' })
 * calendar((instant) => holidays.has(instant.toISOString().slice(0, 10)))
 */
export function calendar(like: CalendarLike, ...more: never[]): Calendar {
  if (more.length > 0) throw invalid('one argument, with the timezone among its keys', more[0])
  if (typeof like === 'function') return { includes: (instant) => isIncluded(like(instant)) }
  if (isTrigger(like)) return new Windows(like, { length: 0 })
  if (typeof like === 'object' && like !== null && !Array.isArray(like)) {
    if (typeof (like as Calendar).includes === 'function') return like as Calendar
    return fromSpec(like as CalendarSpec)
  }
  throw invalid(
    'a calendar, a trigger, a function, or an object such as { dates: ["2026-12-25"] } or { opens: "0 2 * * SUN", for: "3h" }',
    like,
  )
}

/** What a calendar answered. A promise would include everything. */
export function isIncluded(answer: unknown): boolean {
  if (typeof (answer as Promise<unknown> | undefined)?.then !== 'function') return Boolean(answer)
  // Nobody waits for it: without this its rejection would end the process.
  Promise.resolve(answer).catch(() => {})
  throw new EscapementError(
    'ERR_ESCAPEMENT_TRIGGER',
    'calendar: expected an answer at once, true or false, but it gave a promise',
  )
}

const keys = { dates: 1, weekdays: 1, daily: 1, opens: 1, for: 1, timezone: 1 } satisfies Record<
  keyof CalendarSpec,
  1
>

function fromSpec(spec: CalendarSpec): Calendar {
  checkKeys(spec, keys, 'calendar key')
  if (spec.timezone !== undefined) findZone(spec.timezone)
  for (const key of ['dates', 'weekdays'] as const)
    if (spec[key] !== undefined && !Array.isArray(spec[key])) throw invalid(`an array of ${key}`, spec[key])
  const local = spec.dates || spec.weekdays || spec.daily
  if (!local && spec.opens === undefined) throw invalid('dates, weekdays, daily or opens', spec)
  if (spec.for !== undefined && spec.opens === undefined) throw invalid('opens beside for', spec)
  const length = spec.for === undefined ? 0 : wholeDuration(spec.for, 'for', { min: 1 })
  const windows =
    spec.opens === undefined
      ? undefined
      : new Windows(part(spec.opens, 'opens'), { length, timezone: spec.timezone })
  if (!local) return windows as Windows
  const days = new LocalTimes(spec)
  return windows ? new Both(days, windows) : days
}

class LocalTimes implements Stretch, Bindable<Calendar> {
  readonly expression: string
  readonly #spec: CalendarSpec
  readonly #zone: Zone
  readonly #dates: [string, string][] | undefined
  readonly #days: Set<number> | undefined
  readonly #times: [number, number][] | undefined

  constructor(spec: CalendarSpec) {
    this.#spec = spec
    this.#zone = zoneOf(spec.timezone)
    this.#dates = spec.dates && Array.from(spec.dates, readDates)
    this.#days = spec.weekdays && new Set(Array.from(spec.weekdays, readWeekday))
    this.#times = spec.daily === undefined ? undefined : [spec.daily].flat().map(readTimes)
    this.expression = [spec.dates, spec.weekdays, spec.daily].filter(Boolean).map(String).join(' and ')
  }

  includes(instant: Date): boolean {
    const ms = instant.getTime()
    const local = new Date(ms + this.#zone.at(ms).offset)
    if (Number.isNaN(local.getTime())) return false
    if (this.#days && !this.#days.has(local.getUTCDay())) return false
    if (this.#dates) {
      const date = local.toISOString().slice(0, -14)
      if (!this.#dates.some(([first, last]) => inDates(date, first, last))) return false
    }
    const time = timeOfDay(local)
    return !this.#times || this.#times.some(([from, to]) => inTimes(time, from, to))
  }

  until(instant: Date): Date {
    const ms = instant.getTime()
    const segment = this.#zone.at(ms)
    const time = timeOfDay(new Date(ms + segment.offset))
    let left = DAY - time
    for (const edge of this.#times?.flat() ?? []) if (edge > time) left = Math.min(left, edge - time)
    return new Date(Math.min(ms + left, segment.end))
  }

  withDefaults(defaults: TriggerDefaults): Calendar {
    return new LocalTimes({ ...this.#spec, timezone: this.#spec.timezone ?? defaults.timezone })
  }
}

interface WindowOptions {
  readonly length: number
  readonly timezone?: string | undefined
}

/** Open for `length` ms from each instant of a trigger, or at the instant only. */
class Windows implements Stretch, Bindable<Calendar> {
  readonly expression: string
  readonly #given: Trigger
  readonly #options: WindowOptions
  /** The given trigger in the zone of the calendar. */
  readonly #trigger: Trigger

  constructor(given: Trigger, options: WindowOptions) {
    const { length, timezone } = options
    this.#given = given
    this.#options = options
    // Without a scheduler H follows from the expression itself, as in any trigger that is inside another.
    this.#trigger = timezone === undefined ? given : bound(given, { timezone, seed: nameOf(given) })
    this.expression = `${nameOf(given)}${length ? ` for ${formatDuration(length)}` : ''}`
  }

  includes(instant: Date): boolean {
    const ms = instant.getTime()
    const opened = nextOf(this.#trigger, dateAt(ms - (this.#options.length || 1)))
    return opened !== undefined && opened.getTime() <= ms
  }

  until(instant: Date): Date | undefined {
    const { length } = this.#options
    const opened = length ? nextOf(this.#trigger, dateAt(instant.getTime() - length)) : undefined
    return opened && new Date(opened.getTime() + length)
  }

  withDefaults(defaults: TriggerDefaults): Calendar {
    const { length, timezone = defaults.timezone } = this.#options
    return new Windows(bound(this.#given, { ...defaults, timezone }), { length, timezone })
  }
}

class Both implements Stretch, Bindable<Calendar> {
  readonly expression: string
  readonly #parts: readonly [Stretch, Stretch]

  constructor(...parts: [Stretch, Stretch]) {
    this.#parts = parts
    this.expression = parts.map((one) => one.expression).join(' and ')
  }

  includes(instant: Date): boolean {
    return this.#parts.every((one) => one.includes(instant))
  }

  until(instant: Date): Date | undefined {
    const ends = this.#parts.map((one) => one.until?.(instant)?.getTime() ?? 0)
    return new Date(Math.min(...ends))
  }

  withDefaults(defaults: TriggerDefaults): Calendar {
    const [a, b] = this.#parts
    return new Both(bound(a, defaults), bound(b, defaults))
  }
}

const DAY = 86_400_000

function timeOfDay(local: Date): number {
  return (((local.getTime() % DAY) + DAY) % DAY) as number
}

function inTimes(time: number, from: number, to: number): boolean {
  return from < to ? time >= from && time < to : time >= from || time < to
}

// Without a year the comparison is of month and day only, and may run over the turn of the year.
function inDates(date: string, first: string, last: string): boolean {
  if (first.length === 10) return date >= first && date <= last
  const day = date.slice(-5)
  return first <= last ? day >= first && day <= last : day >= first || day <= last
}

function readDates(text: string): [string, string] {
  const [first = '', last = first, ...more] = typeof text === 'string' ? text.split('..') : ['']
  const fits = more.length === 0 && first.length === last.length && isDate(first) && isDate(last)
  if (!fits || (first.length === 10 && first > last)) {
    throw invalid('dates like "2026-12-25", "12-25" or "2026-12-24..2026-12-26"', text)
  }
  return [first, last]
}

function isDate(text: string): boolean {
  const full = text.length === 5 ? `2000-${text}` : text
  if (!/^\d{4}-\d\d-\d\d$/.test(full)) return false
  const date = new Date(`${full}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(full)
}

function readWeekday(day: string | number): number {
  if (Number.isInteger(day) && Number(day) >= 0 && Number(day) <= 7) return Number(day) % 7
  const index = typeof day === 'string' ? weekdayNames.indexOf(day.toUpperCase()) : -1
  if (index < 0) throw invalid('weekdays SUN to SAT or 0 to 7', day)
  return index
}

function readTimes(text: string): [number, number] {
  const parts = typeof text === 'string' ? /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text) : null
  const [h1 = 99, m1 = 99, h2 = 99, m2 = 99] = (parts ?? []).slice(1).map(Number)
  const from = (h1 * 60 + m1) * 60_000
  const to = (h2 * 60 + m2) * 60_000
  if (h1 > 23 || m1 > 59 || m2 > 59 || to > DAY || from === to)
    throw invalid('a time of day like "09:00-17:30"', text)
  return [from, to]
}

function invalid(expected: string, given: unknown): EscapementError {
  return new EscapementError('ERR_ESCAPEMENT_TRIGGER', `calendar: expected ${expected}, got ${show(given)}`)
}
