import type { Trigger } from '../../types/index.ts'
import { AnyOf } from '../any-of.ts'
import { Between } from '../between.ts'
import { scheduleOf } from '../cron/cron.ts'
import type { Schedule } from '../cron/schedule.ts'
import type { Segment } from '../cron/zone.ts'
import { Except } from '../except.ts'
import { Limit } from '../limit.ts'

/** What a change of the clocks did to a schedule. */
export interface Note {
  /**
   * - `shifted`: the local time did not exist; this instant stands in for it.
   * - `skipped`: before this instant, local times that did not exist were left out.
   * - `doubled`: the local time comes twice, and this is the second time.
   * - `once`: the local time comes twice, and only this first one runs.
   */
  readonly kind: 'shifted' | 'skipped' | 'doubled' | 'once'
  readonly text: string
}

const DAY = 86_400_000

/** What the clocks did to a trigger in (`previous`, `at`], `at` being one of its instants. */
export function notes(trigger: Trigger, previous: number, at: number): Note[] {
  if (trigger instanceof AnyOf) {
    const all = trigger.parts.flatMap((part) => notes(part, previous, at))
    return all.filter((note, i) => all.findIndex(({ text }) => text === note.text) === i)
  }
  if (trigger instanceof Except || trigger instanceof Between || trigger instanceof Limit) {
    return notes(trigger.inner, previous, at)
  }
  const schedule = scheduleOf(trigger)
  return schedule ? scheduleNotes(schedule, previous, at) : []
}

/** The same for the schedule of a cron expression. */
export function scheduleNotes(schedule: Schedule, previous: number, at: number): Note[] {
  const found: Note[] = []
  let segment = schedule.zone.at(previous)
  while (segment.end <= at) {
    const { end } = segment
    segment = schedule.zone.at(end)
    // A segment that goes on over new year is met in both years.
    const note = segment.start === end && gapNote(schedule, segment)
    if (note) found.push(note)
  }
  if (schedule.next(at - 1) === at) {
    const note = movedNote(schedule, segment, at) ?? repeatNote(schedule, segment, at)
    if (note) found.push(note)
  }
  return found
}

/** Times lost at the segment's start that nothing stands in for. */
export function gapNote(schedule: Schedule, { start, before, offset, gap }: Segment): Note | undefined {
  if (gap === 0 || movesOver(schedule, gap)) return undefined
  if (!(schedule.local(start + before) < start + offset)) return undefined
  return {
    kind: 'skipped',
    text: `${lostTimes(schedule, start + before, start + offset)} did not exist and was left out`,
  }
}

/** This instant stands in for a time lost at the segment's start. */
function movedNote(
  schedule: Schedule,
  { start, before, offset, gap }: Segment,
  at: number,
): Note | undefined {
  if (gap === 0 || !movesOver(schedule, gap)) return undefined
  const [from, to] =
    schedule.dst === 'shift' ? [at + before, at + before + 1000] : [start + before, start + offset]
  if (schedule.dst === 'shift' ? at >= start + gap : at !== start) return undefined
  if (!(schedule.local(from) < to)) return undefined
  return { kind: 'shifted', text: `stands in for ${lostTimes(schedule, from, to)}, which did not exist` }
}

function repeatNote(schedule: Schedule, segment: Segment, at: number): Note | undefined {
  const local = at + segment.offset
  if (local < segment.repeatedUntil) return { kind: 'doubled', text: `${time(local)} for the second time` }
  const next = schedule.zone.at(segment.end)
  if (local < segment.end + next.offset || next.repeatedUntil === Number.NEGATIVE_INFINITY) return undefined
  if (schedule.fields.followsElapsedTime) return undefined
  return { kind: 'once', text: `${time(local)} comes twice; it runs the first time only` }
}

/** Whether lost times run at another instant. */
function movesOver({ fields, dst }: Schedule, gap: number): boolean {
  if (fields.followsElapsedTime || dst === 'skip') return false
  return dst === 'vixie' ? gap < DAY / 8 : gap < DAY
}

function lostTimes(schedule: Schedule, from: number, to: number): string {
  const first = schedule.local(from)
  const second = schedule.local(first + 1000)
  return `${time(first)}${second < to ? ' (and later)' : ''}`
}

/** `2026-03-29 02:30` of a local time in ms; with seconds if there are any. */
export function time(local: number): string {
  const text = new Date(local).toISOString().slice(0, -5).replace('T', ' ')
  return text.endsWith(':00') ? text.slice(0, -3) : text
}
