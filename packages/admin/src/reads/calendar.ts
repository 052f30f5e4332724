import { type Job, upcoming } from '@escapement/core'
import { type Call, maySee, queryOf } from '../call.ts'
import { HEADERS } from '../problem.ts'

const DAY_MS = 86_400_000
/** The days of the calendar, and the most ticks a day of a job in it. */
const DAYS = 14
const MAX_A_DAY = 24

/** The coming ticks as iCalendar (RFC 5545). Jobs that are due more often than 24 times a day are named, not listed. */
export function readCalendar(call: Call): Response {
  queryOf(call, [])
  const { scheduler, settings } = call
  const now = new Date()
  const events: string[] = []
  const often: string[] = []
  for (const job of scheduler.jobs().filter(({ name }) => maySee(call, name))) {
    const ticks = ticksOf(job, now, scheduler.timezone)
    if (ticks === undefined) often.push(job.name)
    else events.push(...ticks.flatMap((at) => eventOf(job, at, now)))
  }
  const note =
    often.length === 0
      ? []
      : [`X-WR-CALDESC:${escaped(`Not listed, since they are due too often: ${often.join(', ')}`)}`]
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//escapement//jobs//EN',
    `X-WR-CALNAME:${escaped(settings.title)}`,
    ...note,
    ...events,
    'END:VCALENDAR',
  ]
  const text = lines.map(folded).join('\r\n')
  return new Response(`${text}\r\n`, {
    headers: { ...HEADERS, 'content-type': 'text/calendar; charset=utf-8' },
  })
}

/** Undefined: too often. */
function ticksOf({ name, trigger, next, paused }: Job, from: Date, timezone: string): Date[] | undefined {
  if (!next || paused) return []
  const until = new Date(from.getTime() + DAYS * DAY_MS)
  const ticks = [
    ...upcoming(trigger, { timezone, seed: name, from, until, count: DAYS * MAX_A_DAY + 1 }),
  ].map(({ at }) => at)
  return ticks.length > DAYS * MAX_A_DAY ? undefined : ticks
}

function eventOf({ name, description }: Job, at: Date, now: Date): string[] {
  return [
    'BEGIN:VEVENT',
    `UID:${escaped(`${name}@${at.toISOString()}`)}`,
    `DTSTAMP:${stamp(now)}`,
    `DTSTART:${stamp(at)}`,
    'DURATION:PT1M',
    `SUMMARY:${escaped(name)}`,
    ...(description === undefined ? [] : [`DESCRIPTION:${escaped(description)}`]),
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ]
}

function stamp(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d+/g, '')
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(/\r?\n/g, '\\n')
}

/** Lines have at most 75 bytes; what follows begins with a space. */
function folded(line: string): string {
  const parts: string[] = []
  let part = ''
  let size = 0
  for (const char of line) {
    const bytes = Buffer.byteLength(char)
    if (size + bytes > 74) {
      parts.push(part)
      part = ''
      size = 1
    }
    part += char
    size += bytes
  }
  return [...parts, part].join('\r\n ')
}
