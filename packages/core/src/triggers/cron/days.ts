import type { Field, Fields } from './fields.ts'
import { Memo } from './memo.ts'

type DayFields = Pick<Fields, 'dayOfMonth' | 'month' | 'dayOfWeek'>

const shared = new Memo<Days>(2000)

/** Days since 1970-01-01 at the start of a year. */
export function yearStart(year: number): number {
  const y = year - 1
  return 365 * (year - 1970) + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) - 477
}

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

const starts = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]

/** Days from new year to the start of `month` (1–12; 13 is the length of the year). */
export function monthStart(month: number, leap: boolean): number {
  return (starts[month - 1] as number) + (leap && month > 2 ? 1 : 0)
}

/** 0 is Sunday. */
export function weekday(day: number): number {
  const rest = (day + 4) % 7
  return rest < 0 ? rest + 7 : rest
}

/**
 * Which days of each month match, as bits: bit 0 is the first. There are only fourteen kinds of years
 * (seven first weekdays, leap or not), so each month is worked out once.
 */
export class Days {
  /** Shared between expressions with the same month and days. */
  static of(fields: DayFields): Days {
    const { dayOfMonth, month, dayOfWeek } = fields
    if (dayOfMonth.hashed || month.hashed || dayOfWeek.hashed) return new Days(fields)
    return shared.get(`${dayOfMonth.text} ${month.text} ${dayOfWeek.text}`, () => new Days(fields))
  }

  readonly #fields: DayFields
  readonly #kinds: (Int32Array | undefined)[] = new Array(14).fill(undefined)

  private constructor({ dayOfMonth, month, dayOfWeek }: DayFields) {
    this.#fields = { dayOfMonth, month, dayOfWeek }
  }

  /** The masks of a year's months: index 0 is January. The year field is not asked. */
  year(year: number): Int32Array {
    const leap = isLeap(year)
    const first = weekday(yearStart(year))
    const kind = leap ? first + 7 : first
    let masks = this.#kinds[kind]
    if (!masks) {
      masks = new Int32Array(12)
      for (const month of this.#fields.month.set.values()) {
        const start = monthStart(month, leap)
        masks[month - 1] = monthMask(this.#fields, monthStart(month + 1, leap) - start, (first + start) % 7)
      }
      this.#kinds[kind] = masks
    }
    return masks
  }

  /** Whether any day of any year matches, or of any year that `year` allows. */
  possible(year?: Field): boolean {
    const { dayOfMonth, dayOfWeek } = this.#fields
    // In the course of the years each date up to the 28th falls on each weekday.
    if (!year && (dayOfMonth.set.word & 0x0fffffff) !== 0 && dayOfWeek.set.word !== 0) return true
    const years = year?.set.values() ?? Array.from({ length: 28 }, (_, i) => 2001 + i)
    return years.some((one) => this.year(one).some((mask) => mask !== 0))
  }
}

/** The days of one month that match, as bits. The month and year fields are not asked. */
export function matchingDays(fields: DayFields, year: number, month: number): number {
  const leap = isLeap(year)
  const start = monthStart(month, leap)
  const first = weekday(yearStart(year) + start)
  return monthMask(fields, monthStart(month + 1, leap) - start, first)
}

/** @param first The weekday of the month's first day. */
function monthMask({ dayOfMonth, dayOfWeek }: DayFields, length: number, first: number): number {
  const all = 0x7fffffff >>> (31 - length)
  let dates = dayOfMonth.set.word
  for (const back of dayOfMonth.last ?? []) dates |= bit(length - back)
  for (const day of dayOfMonth.near ?? []) dates |= nearestWeekday(day, length, first)
  for (const back of dayOfMonth.nearLast ?? []) dates |= nearestWeekday(length - back, length, first)
  // The week's seven bits, turned so that bit 0 is the month's first day, and repeated.
  const week = dayOfWeek.set.word & 0x7f
  const turned = ((week >>> first) | (week << (7 - first))) & 0x7f
  let days = turned | (turned << 7) | (turned << 14) | (turned << 21) | (turned << 28)
  for (const [day, nth] of dayOfWeek.nth ?? []) {
    const date = ((day - first + 7) % 7) + 1
    days |= bit(nth > 0 ? date + 7 * (nth - 1) : date + 7 * Math.floor((length - date) / 7))
  }
  // vixie: both restricted is OR; a field that starts with `*` only filters.
  return (dayOfMonth.star || dayOfWeek.star ? dates & days : dates | days) & all
}

/** The weekday (Monday to Friday) nearest to a day of the month, without leaving the month. */
function nearestWeekday(day: number, length: number, first: number): number {
  if (day < 1 || day > length) return 0
  const on = (first + day - 1) % 7
  if (on === 6) return bit(day === 1 ? 3 : day - 1)
  if (on === 0) return bit(day === length ? day - 2 : day + 1)
  return bit(day)
}

function bit(day: number): number {
  return day >= 1 && day <= 31 ? 1 << (day - 1) : 0
}
