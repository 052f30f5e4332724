import { offsetOf, reference } from './reference.ts'

/** A change of a zone's clocks: the first instant with the new offset. All in ms. */
export interface Change {
  readonly zone: string
  readonly at: number
  readonly before: number
  readonly after: number
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** All changes of the clocks of a zone in some years, found hour by hour, then second by second. */
export function changesOf(zone: string, from: number, to: number): Change[] {
  const found: Change[] = []
  let before = offsetOf(zone, from)
  for (let hour = from; hour < to; hour += 6 * HOUR) {
    if (offsetOf(zone, hour + 6 * HOUR) === before) continue
    // Changes are at whole quarters of an hour in our century.
    for (let at = hour; at <= hour + 6 * HOUR; at += HOUR / 4) {
      const after = offsetOf(zone, at)
      if (after === before) continue
      found.push({ zone, at, before, after })
      before = after
    }
  }
  return found
}

/**
 * All instants in (`from`, `to`] on whole minutes, by walking them one by one over a single change of the clocks.
 * Slow, with nothing to get wrong: the local time of each minute is looked at under the policy's sentence in the docs.
 */
export function dueAround(expression: string, dst: string, change: Change, from: number, to: number) {
  const { matches, matchesDay, followsElapsedTime } = reference(expression)
  const gap = change.after - change.before
  const days = new Map<number, boolean>()
  const isDue = (local: number) => {
    const day = Math.floor(local / DAY)
    if (!days.has(day)) days.set(day, matchesDay(new Date(day * DAY)))
    return days.get(day) === true && matches(new Date(local))
  }
  const found: number[] = []
  for (let at = Math.floor(from / 60_000) * 60_000 + 60_000; at <= to; at += 60_000) {
    const second = at >= change.at
    const local = at + (second ? change.after : change.before)
    // The clocks have shown this before they were set back.
    const repeated = second && gap < 0 && local < change.at + change.before
    let due = isDue(local) && (followsElapsedTime || !repeated)
    if (!followsElapsedTime && gap > 0 && dst === 'vixie' && gap < 3 * HOUR && at === change.at)
      for (let lost = local - gap; lost < local; lost += 60_000) due ||= isDue(lost)
    if (!followsElapsedTime && gap > 0 && dst === 'shift' && gap < DAY && second && at < change.at + gap)
      due ||= isDue(local - gap)
    if (due) found.push(at)
  }
  return found
}
