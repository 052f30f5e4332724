import type { Dst } from '../../types/index.ts'
import { Days, isLeap, monthStart, yearStart } from './days.ts'
import type { Fields } from './fields.ts'
import type { Segment, Zone } from './zone.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
// The calendar repeats after 400 years: what has not come by then never will.
const CYCLE = 400

/**
 * The instants of one expression in one zone. Immutable but for what it remembers to be fast: the answer
 * before, the zone's present stretch, and the month and day of the answer before.
 *
 * Two walks: `local` finds the next match on the local calendar, where every day has 24 hours;
 * `#resolve` carries it over the zone's changes.
 */
export class Schedule {
  readonly fields: Fields
  readonly zone: Zone
  readonly dst: Dst
  readonly #days: Days
  readonly #seconds: Uint8Array
  readonly #minutes: Uint8Array
  readonly #hours: Uint8Array
  readonly #months: Uint8Array
  /** First matching second of a day. */
  readonly #firstTime: number

  #segment: Segment
  #after = Number.NaN
  #answer = Number.NaN
  // The local day of the answer before, known to match, in ms.
  #dayStart = Number.NaN
  // The month looked at last: its days since the epoch, and its matching days as bits.
  #monthStart = 0
  #monthEnd = 0
  #monthMask = 0
  #year = 0
  #month = 0

  constructor(fields: Fields, zone: Zone, dst: Dst) {
    this.fields = fields
    this.zone = zone
    this.dst = dst
    this.#days = Days.of(fields)
    this.#seconds = fields.second.set.successors
    this.#minutes = fields.minute.set.successors
    this.#hours = fields.hour.set.successors
    this.#months = fields.month.set.successors
    this.#firstTime =
      (this.#hours[0] as number) * 3600 + (this.#minutes[0] as number) * 60 + (this.#seconds[0] as number)
    this.#segment = zone.at(0)
  }

  /** The first instant strictly after `after`, in ms; NaN if there is none. */
  next(after: number): number {
    if (after === this.#after) return this.#answer
    const answer = this.#resolve(after)
    this.#after = after
    this.#answer = answer
    return answer
  }

  #resolve(after: number): number {
    const { followsElapsedTime } = this.fields
    let segment = this.#segment
    if (!(after >= segment.start && after < segment.end)) segment = this.zone.at(after)
    // The first whole second that may be the answer.
    let from = Math.floor(after / 1000) * 1000 + 1000
    const end = after + (CYCLE + 1) * 366 * DAY
    while (from < end) {
      const offset = segment.offset
      const start = from > segment.start ? from : segment.start
      const low = this.#firstLocal(segment, start)
      const local = this.local(low)
      let at = local - offset
      if (segment.gap > 0 && !followsElapsedTime && this.dst === 'shift')
        at = this.#shifted(segment, start, at)
      if (at < segment.end) {
        this.#segment = segment
        return at
      }
      const change = segment.end
      // Set back over what lies behind: elapsed time meets it again, however far off the next match is.
      const again = followsElapsedTime && low > change + this.zone.at(change).offset
      if (Number.isNaN(local) && !again) return Number.NaN
      if (at - change > 2 * DAY && !again) {
        // Nothing matches until shortly before, so the changes in between do not matter.
        from = at - 2 * DAY
        segment = this.zone.at(from)
        continue
      }
      const next = this.zone.at(change)
      // Lost in the gap: run once at the first instant after it.
      if (this.#isLost(local, segment, next)) {
        this.#segment = next
        return change
      }
      segment = next
      from = change
    }
    return Number.NaN
  }

  /** `vixie`: whether a local time at which the schedule is due does not exist between these two. */
  #isLost(local: number, before: Segment, after: Segment): boolean {
    if (this.fields.followsElapsedTime || this.dst !== 'vixie') return false
    const lost = after.offset - before.offset
    return lost > 0 && lost < 3 * HOUR && local < before.end + after.offset
  }

  /** Local time at `start`. For fixed times a repeated time has been in the first pass. */
  #firstLocal(segment: Segment, start: number): number {
    const low = start + segment.offset
    return !this.fields.followsElapsedTime && low < segment.repeatedUntil ? segment.repeatedUntil : low
  }

  /** `shift`: a time lost in the gap at the segment's start runs later by the length of the gap. */
  #shifted(segment: Segment, start: number, regular: number): number {
    if (segment.gap >= DAY || start >= segment.start + segment.gap) return regular
    const lost = this.local(start + segment.before)
    if (!(lost < segment.start + segment.offset)) return regular
    const moved = lost - segment.before
    return regular < moved ? regular : moved
  }

  /** The first match on the local calendar not before `local`, in ms as if local time were UTC. */
  local(local: number): number {
    const inDay = local - this.#dayStart
    let day: number
    if (inDay >= 0 && inDay < DAY) {
      const time = this.#time((inDay / 1000) | 0)
      if (time >= 0) return this.#dayStart + time * 1000
      day = this.#day(this.#dayStart / DAY + 1)
    } else {
      const today = Math.floor(local / DAY)
      day = this.#day(today)
      if (day === today) {
        this.#dayStart = day * DAY
        const time = this.#time(((local - this.#dayStart) / 1000) | 0)
        if (time >= 0) return this.#dayStart + time * 1000
        day = this.#day(day + 1)
      }
    }
    this.#dayStart = day * DAY
    return this.#dayStart + this.#firstTime * 1000
  }

  /** The first matching second of the day not before `second`, or -1. */
  #time(second: number): number {
    const h = (second / 3600) | 0
    const rest = second - h * 3600
    const m = (rest / 60) | 0
    const s = rest - m * 60
    let hour = this.#hours[h] as number
    if (hour === h) {
      let minute = this.#minutes[m] as number
      if (minute === m) {
        const found = this.#seconds[s] as number
        if (found < 60) return second - s + found
        minute = this.#minutes[m + 1] as number
      }
      if (minute < 60) return h * 3600 + minute * 60 + (this.#seconds[0] as number)
      hour = this.#hours[h + 1] as number
    }
    return hour < 24 ? hour * 3600 + (this.#firstTime % 3600) : -1
  }

  /** The first matching day not before `day`, in days since the epoch; NaN if there is none. */
  #day(day: number): number {
    if (!(day >= this.#monthStart && day < this.#monthEnd)) {
      const date = new Date(day * DAY)
      const year = date.getUTCFullYear()
      if (Number.isNaN(year)) return Number.NaN
      this.#enter(year, date.getUTCMonth() + 1)
    }
    const rest = this.#monthMask >>> (day - this.#monthStart)
    if (rest !== 0) return day + lowestBit(rest)
    return this.#laterMonth()
  }

  /** The first matching day of the months after the present one. */
  #laterMonth(): number {
    let year = this.#year
    let month = this.#month
    const last = year + CYCLE
    const allowed = this.#nextYear(year)
    if (allowed !== year) {
      year = allowed
      month = 0
    }
    while (year <= last) {
      // Successors count from zero: index `month` is the month after.
      month = (this.#months[month] as number) + 1
      if (month > 12) {
        year = this.#nextYear(year + 1)
        month = 0
      } else if (this.#days.year(year)[month - 1] !== 0) {
        this.#enter(year, month)
        return this.#monthStart + lowestBit(this.#monthMask)
      }
    }
    return Number.NaN
  }

  #enter(year: number, month: number): void {
    const leap = isLeap(year)
    const newYear = yearStart(year)
    this.#year = year
    this.#month = month
    this.#monthStart = newYear + monthStart(month, leap)
    this.#monthEnd = newYear + monthStart(month + 1, leap)
    this.#monthMask = this.#nextYear(year) === year ? (this.#days.year(year)[month - 1] as number) : 0
  }

  /** The first allowed year not before `year`; Infinity if there is none. */
  #nextYear(year: number): number {
    const set = this.fields.year?.set
    if (!set) return year
    if (year > set.max) return Number.POSITIVE_INFINITY
    const found = (set.successors[Math.max(0, year - set.min)] as number) + set.min
    return found > set.max ? Number.POSITIVE_INFINITY : found
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word)
}
