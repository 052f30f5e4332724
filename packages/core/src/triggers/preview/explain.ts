import type { Trigger, TriggerDefaults, TriggerSpec } from '../../types/index.ts'
import { formatDuration } from '../../util/duration.ts'
import { AnyOf } from '../any-of.ts'
import { Between } from '../between.ts'
import { isIncluded, type Stretch } from '../calendar.ts'
import { scheduleOf } from '../cron/cron.ts'
import { matchingDays } from '../cron/days.ts'
import { type Field, type Fields, weekdays } from '../cron/fields.ts'
import type { Schedule } from '../cron/schedule.ts'
import { Every } from '../every.ts'
import { Except } from '../except.ts'
import { Limit } from '../limit.ts'
import { dateAt, nameOf, nextOf } from '../step.ts'
import { toPreview } from '../to-trigger.ts'
import { gapNote, scheduleNotes, time } from './notes.ts'
import { checkDate, localTime } from './upcoming.ts'

export interface Explanation {
  readonly at: Date
  /** With the offset of the trigger's zone. */
  readonly local: string
  readonly fires: boolean
  /** Why, or why not: one sentence each. */
  readonly reasons: readonly string[]
  /** The first instant after `at`. */
  readonly next: Date | undefined
}

/**
 * Says why a schedule is due at an instant, or why it is not, as of a job.
 *
 * @example
 * explain('0 9 * * MON-FRI', new Date('2026-11-21T09:00:00Z'), { timezone: 'UTC' }).reasons
 * // ['day-of-week is SAT; "MON-FRI" does not allow it']
 */
export function explain(spec: TriggerSpec, at: Date, defaults: TriggerDefaults = {}): Explanation {
  checkDate('at', at)
  const trigger = toPreview(spec, defaults)
  return {
    at,
    local: localTime(at, trigger, defaults.timezone),
    fires: firesAt(trigger, at),
    reasons: reasons(trigger, at),
    next: nextOf(trigger, at),
  }
}

function firesAt(trigger: Trigger, at: Date): boolean {
  return nextOf(trigger, dateAt(at.getTime() - 1))?.getTime() === at.getTime()
}

function reasons(trigger: Trigger, at: Date): string[] {
  if (trigger instanceof AnyOf) {
    return trigger.parts.flatMap((part) => reasons(part, at).map((why) => `${nameOf(part)}: ${why}`))
  }
  if (trigger instanceof Except) {
    const closed = trigger.calendars.filter((one) => isIncluded(one.includes(at))) as Stretch[]
    const excluded = closed.map((one) => `it is excluded by the calendar ${one.expression ?? 'given'}`)
    return [...reasons(trigger.inner, at), ...excluded]
  }
  if (trigger instanceof Between) return [...reasons(trigger.inner, at), ...bounds(trigger, at.getTime())]
  if (trigger instanceof Limit) return [...reasons(trigger.inner, at), ...counted(trigger, at.getTime())]
  const schedule = scheduleOf(trigger)
  if (schedule) return cronReasons(schedule, at.getTime())
  const fires = firesAt(trigger, at)
  if (trigger instanceof Every) {
    const step = formatDuration(trigger.length)
    return [
      fires
        ? `it is on the grid of ${step}`
        : `it is ${formatDuration(trigger.since(at))} past the grid of ${step}`,
    ]
  }
  return [fires ? 'it is one of its instants' : 'it is not one of its instants']
}

function bounds({ start, end }: Between, at: number): string[] {
  if (at < start) return [`it is before the start, ${new Date(start).toISOString()}`]
  return at >= end ? [`it is not before the end, ${new Date(end).toISOString()}`] : []
}

function counted({ from, last, count }: Limit, at: number): string[] {
  if (at < from) return [`it is before counting starts, ${new Date(from).toISOString()}`]
  return at > last ? [`the last of its ${count} instants was ${new Date(last).toISOString()}`] : []
}

function cronReasons(schedule: Schedule, at: number): string[] {
  const fires = schedule.next(at - 1) === at
  const segment = schedule.zone.at(at)
  const local = at + segment.offset
  const wrong = mismatches(schedule, local)
  if (at % 1000 !== 0) wrong.push('it is not a whole second')
  if (fires) {
    const special = scheduleNotes(schedule, at - 1, at).map((note) => note.text)
    return wrong.length === 0 ? ['all fields match', ...special] : special
  }
  const left = at === segment.start ? gapNote(schedule, segment) : undefined
  if (left) return [...wrong, left.text]
  if (wrong.length > 0) return wrong
  return [`${time(local)} comes twice and runs the first time only`]
}

function mismatches({ fields }: Schedule, local: number): string[] {
  const date = new Date(local)
  const found: string[] = []
  const check = (name: string, field: Field | undefined, value: number) => {
    if (field && !field.set.has(value)) {
      found.push(`${name} is ${value}; "${field.text}" allows ${field.set.values().join(',')}`)
    }
  }
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  check('year', fields.year, year)
  check('month', fields.month, month)
  if ((matchingDays(fields, year, month) & (1 << (day - 1))) === 0) found.push(dayMismatch(fields, date))
  check('hour', fields.hour, date.getUTCHours())
  check('minute', fields.minute, date.getUTCMinutes())
  check('second', fields.second, date.getUTCSeconds())
  return found
}

function dayMismatch({ dayOfMonth, dayOfWeek }: Fields, local: Date): string {
  const date = `day-of-month is ${local.getUTCDate()}; "${dayOfMonth.text}" does not allow it`
  const day = `day-of-week is ${weekdays[local.getUTCDay()]}; "${dayOfWeek.text}" does not allow it`
  if (dayOfWeek.star && dayOfWeek.text.length === 1) return date
  if (dayOfMonth.star && dayOfMonth.text.length === 1) return day
  const joint = dayOfMonth.star || dayOfWeek.star ? 'both are needed' : 'either would do'
  return `day-of-month is ${local.getUTCDate()} and day-of-week is ${weekdays[local.getUTCDay()]}; "${dayOfMonth.text}" and "${dayOfWeek.text}" do not allow it (${joint})`
}
