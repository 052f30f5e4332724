import { EscapementError } from '@escapement/core'
import { bound, checkKeys, offsetAt, systemZone } from '@escapement/core/plugin'
import type { Quiet } from '../types/options.ts'

/** True in quiet hours. */
export type QuietHours = (instant: Date) => boolean

/**
 * @param timezone The scheduler's: for what names none.
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_TIMEZONE
 */
export function parseQuiet(quiet: Quiet, where: string, timezone: string = systemZone()): QuietHours {
  if (typeof quiet === 'function') return quiet
  if (typeof quiet !== 'object' || quiet === null) {
    throw bad(where, "an object like { from: '22:00', to: '07:00' }, a calendar or a function")
  }
  if ('includes' in quiet && typeof quiet.includes === 'function') {
    const calendar = bound(quiet, { timezone })
    return (instant) => calendar.includes(instant)
  }
  checkKeys(quiet, { from: 1, to: 1, timezone: 1, days: 1 }, `${where} option`)
  if (!('from' in quiet))
    throw bad(where, "an object like { from: '22:00', to: '07:00' }, a calendar or a function")
  const from = minutes(quiet.from, `${where}.from`)
  const to = minutes(quiet.to, `${where}.to`)
  const days = quiet.days ?? [0, 1, 2, 3, 4, 5, 6]
  if (!Array.isArray(days) || !days.every((day) => Number.isInteger(day) && day >= 0 && day <= 6))
    throw bad(`${where}.days`, 'days from 0 to 6')
  const zone = quiet.timezone ?? timezone
  offsetAt(zone, 0)
  return (instant) => {
    const { day, minute } = localTime(instant, zone)
    if (from < to) return days.includes(day) && minute >= from && minute < to
    // Over midnight: the morning belongs to the day before.
    return minute >= from ? days.includes(day) : minute < to && days.includes((day + 6) % 7)
  }
}

function minutes(time: unknown, where: string): number {
  const found = typeof time === 'string' ? /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(time) : null
  if (!found) throw bad(where, "a time like '22:00'")
  return Number(found[1]) * 60 + Number(found[2])
}

function localTime(instant: Date, zone: string): { day: number; minute: number } {
  const local = new Date(instant.getTime() + offsetAt(zone, instant.getTime()))
  return { day: local.getUTCDay(), minute: local.getUTCHours() * 60 + local.getUTCMinutes() }
}

function bad(where: string, expected: string): EscapementError {
  return new EscapementError('ERR_ESCAPEMENT_OPTION', `${where} must be ${expected}`)
}
