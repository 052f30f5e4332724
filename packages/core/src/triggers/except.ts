import { EscapementError } from '../errors.ts'
import type { Calendar, CalendarLike, Trigger, TriggerDefaults } from '../types/index.ts'
import { calendar, isIncluded, type Stretch } from './calendar.ts'
import { timedPart } from './nested.ts'
import { msOf, nameOf, nextOf } from './step.ts'
import { type Bindable, bound } from './with-defaults.ts'

// Function calendars are asked about one instant at a time, so the search must end somewhere: after five million
// refusals, or fifty years if there were ten thousand.
const MOST = 5_000_000
const MANY = 10_000
const LONG = 50 * 366 * 86_400_000

/**
 * A trigger without the instants that any of the calendars includes. They are left out, not moved.
 *
 * @throws `ERR_ESCAPEMENT_TRIGGER`, and what the parts throw.
 * @example
 * except('0 9 * * MON-FRI', { dates: ['12-24..01-01'] }, (instant) => isHoliday(instant))
 */
export function except(trigger: string | Trigger, ...calendars: CalendarLike[]): Trigger {
  if (calendars.length === 0) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_TRIGGER',
      'except: expected calendars after the trigger, got none',
    )
  }
  return new Except(
    timedPart(trigger, 'except'),
    calendars.map((one) => calendar(one)),
  )
}

export class Except implements Trigger, Bindable {
  readonly followsElapsedTime: boolean
  readonly expression: string
  readonly timezone?: string
  readonly inner: Trigger
  readonly calendars: readonly Calendar[]

  constructor(inner: Trigger, calendars: readonly Calendar[]) {
    this.inner = inner
    this.calendars = calendars
    this.followsElapsedTime = inner.followsElapsedTime === true
    const names = calendars.map((one) => (one as Stretch).expression ?? 'a calendar')
    this.expression = `${nameOf(inner)} except ${names.join(', ')}`
    if (inner.timezone) this.timezone = inner.timezone
  }

  next(after: Date): Date | undefined {
    const start = msOf(after)
    let from = after
    for (let i = 0; i < MOST; i++) {
      const found = nextOf(this.inner, from)
      if (!found || (i > MANY && found.getTime() - start > LONG)) return undefined
      const closed = this.calendars.find((one) => isIncluded(one.includes(found))) as Stretch | undefined
      if (!closed) return found
      const until = closed.until?.(found)
      from = until && until > found ? new Date(until.getTime() - 1) : found
    }
    return undefined
  }

  withDefaults(defaults: TriggerDefaults): Trigger {
    return new Except(
      bound(this.inner, defaults),
      this.calendars.map((one) => bound(one, defaults)),
    )
  }
}
