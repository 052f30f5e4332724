import { isLeap, weekday, yearStart } from './days.ts'
import { isForeign } from './zone-hints.ts'

/** A stretch of time in which a zone's offset does not change. All in ms; `end` is not part of it. */
export interface Segment {
  readonly start: number
  readonly end: number
  /** Local time minus UTC. */
  readonly offset: number
  /** The offset just before `start`. */
  readonly before: number
  /** Local times from `start` up to this were shown once already, before the clock was set back. */
  readonly repeatedUntil: number
  /** How far the clock was set forward at `start`, or 0. */
  readonly gap: number
}

/** The offsets of one IANA zone. */
export interface Zone {
  /** The name as the platform writes it. */
  readonly name: string
  /** The stretch that holds `instant`. It may be cut at the turn of a year. */
  at(instant: number): Segment
}

const DAY = 86_400_000
// Before this year every zone keeps its first (local mean) time.
const FIRST_YEAR = 1800
// From here on zones only follow yearly rules, so a year's offsets are those of any like year (28 hold all kinds).
const LAST_YEAR = 2128
// Of all zones and years, the two nearest changes that cancel each other out are twelve days apart.
const PROBE = 3 * DAY

const zones = new Map<string, Zone>()

/** The zone of this name, shared. Undefined if this Node does not know it, or the IANA database has no such name. */
export function zone(name: string): Zone | undefined {
  const known = zones.get(name)
  if (known) return known
  if (isForeign(name)) return undefined
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
  } catch {
    return undefined
  }
  const canonical = format.resolvedOptions().timeZone
  let made = zones.get(canonical)
  if (!made) {
    const offset = (instant: number) => offsetAt(format, instant)
    const fixed = /^(UTC|GMT|Etc\/.+)$/.test(canonical)
    made = fixed ? new FixedZone(canonical, offset(0)) : new RuledZone(canonical, offset)
    zones.set(canonical, made)
  }
  // Other spellings are remembered too, but not without end.
  if (zones.size < 2000) zones.set(name, made)
  return made
}

class FixedZone implements Zone {
  readonly name: string
  readonly #all: Segment

  constructor(name: string, offset: number) {
    this.name = name
    this.#all = segment(-Infinity, Infinity, offset, offset)
  }

  at(): Segment {
    return this.#all
  }
}

class RuledZone implements Zone {
  readonly name: string
  readonly #offset: (instant: number) => number
  readonly #years = new Map<number, Segment[]>()
  #ancient: Segment | undefined

  constructor(name: string, offset: (instant: number) => number) {
    this.name = name
    this.#offset = offset
  }

  at(instant: number): Segment {
    const year = new Date(instant).getUTCFullYear()
    if (!(year >= FIRST_YEAR)) {
      const start = Date.UTC(FIRST_YEAR, 0, 1)
      const offset = this.#offset(start)
      this.#ancient ??= segment(-Infinity, start, offset, offset)
      return this.#ancient
    }
    if (year <= LAST_YEAR) return find(this.#year(year), instant)
    const like = likeYear(year)
    const shift = (yearStart(year) - yearStart(like)) * DAY
    const found = find(this.#year(like), instant - shift)
    return segment(found.start + shift, found.end + shift, found.offset, found.before)
  }

  #year(year: number): Segment[] {
    let segments = this.#years.get(year)
    if (!segments) {
      segments = this.#build(year)
      this.#years.set(year, segments)
    }
    return segments
  }

  // Looks back over two days, so that a change at the end of the year before still shows what it repeats.
  #build(year: number): Segment[] {
    const newYear = Date.UTC(year, 0, 1)
    const end = Date.UTC(year + 1, 0, 1)
    const segments: Segment[] = []
    let start = newYear - 2 * DAY
    let offset = this.#offset(start)
    let before = offset
    let probe = start
    while (probe < end) {
      const until = Math.min(probe + PROBE, end)
      // The last moment of the year, not the first of the next one.
      if (this.#offset(until === end ? end - 1000 : until) === offset) {
        probe = until
        continue
      }
      const change = this.#change(probe, until === end ? end - 1000 : until, offset)
      if (change > newYear) segments.push(segment(start, change, offset, before))
      start = probe = change
      before = offset
      offset = this.#offset(change)
    }
    segments.push(segment(start, end, offset, before))
    return segments
  }

  /** The first second after `low` (where `offset` holds) up to `high` (where it does not) with another offset. */
  #change(low: number, high: number, offset: number): number {
    let from = low / 1000
    let to = high / 1000
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2)
      if (this.#offset(middle * 1000) === offset) from = middle
      else to = middle
    }
    return to * 1000
  }
}

function find(segments: Segment[], instant: number): Segment {
  let i = segments.length - 1
  while (i > 0 && instant < (segments[i] as Segment).start) i--
  return segments[i] as Segment
}

function segment(start: number, end: number, offset: number, before: number): Segment {
  const repeatedUntil = before > offset ? start + before : -Infinity
  return { start, end, offset, before, repeatedUntil, gap: offset > before ? offset - before : 0 }
}

const likeYears = new Map<number, number>()

/** The year from 2101 to 2128 that starts on the same weekday and is as long. */
function likeYear(year: number): number {
  if (likeYears.size === 0)
    for (let like = LAST_YEAR - 27; like <= LAST_YEAR; like++) likeYears.set(kind(like), like)
  return likeYears.get(kind(year)) as number
}

function kind(year: number): number {
  return weekday(yearStart(year)) + (isLeap(year) ? 7 : 0)
}

const EPOCH = new Date(0)

// "11/20/2026, 23:21:05": by position, several times faster than formatToParts.
function offsetAt(format: Intl.DateTimeFormat, instant: number): number {
  const second = Math.floor(instant / 1000) * 1000
  // Fake timers take the number 0 for no instant at all, and format the present one; a Date they pass on.
  const text = format.format(second || EPOCH)
  const two = (at: number) => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48
  const local = Date.UTC(two(6) * 100 + two(8), two(0) - 1, two(3), two(12), two(15), two(18))
  return local - second
}
