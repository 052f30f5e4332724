import { explain, toTrigger, upcoming } from '@escapement/core'
import { describe } from './describe.ts'
import { MAX_INSTANTS, type Output, readTime, type Settings, UsageError } from './settings.ts'
import { daysOf, drawYear } from './year.ts'

/** The next instants, one per line, with what the clocks did to them. */
export function nextCommand(settings: Settings, { out, error }: Output): number {
  const { expression, timezone, dst, seed, from, until, json } = settings
  const count = settings.count ?? (until ? MAX_INSTANTS : 10)
  // One more, to see whether there is one.
  const found = [...upcoming(expression, { timezone, dst, seed, from, until, count: count + 1 })]
  if (found.length > count) {
    found.pop()
    if (settings.count === undefined && until)
      error(
        `escapement: only the first ${MAX_INSTANTS} instants until ${until.toISOString()} are shown: use an earlier --until, or a later --from`,
      )
  }
  if (json) {
    out(JSON.stringify(found, undefined, 2))
  } else {
    for (const { at, local, notes } of found) {
      const why = notes.map((note) => `  # ${note.text}`).join('')
      out(`${local}  ${at.toISOString().replace('.000', '')}${why}`)
    }
  }
  if (found.length > 0) return 0
  error(
    `escapement: ${JSON.stringify(expression)} is not due after ${from.toISOString()}${until ? ` and until ${until.toISOString()}` : ''}`,
  )
  return 1
}

/** Whether and why it is due at a time. */
export function explainCommand(settings: Settings, { out }: Output): number {
  const { expression, rest, timezone, dst, seed, json } = settings
  if (rest === undefined) throw new UsageError('explain: the time is missing, e.g. "2026-11-20 09:00"')
  const explained = explain(expression, readTime(rest, 'explain', timezone), { timezone, dst, seed })
  if (json) {
    out(JSON.stringify(explained, undefined, 2))
  } else {
    out(`${expression} is ${explained.fires ? 'due' : 'not due'} at ${explained.local}`)
    for (const reason of explained.reasons) out(`  ${explained.fires ? '+' : '-'} ${reason}`)
    out(`  next after that: ${explained.next?.toISOString().replace('.000', '') ?? 'never'}`)
  }
  return explained.fires ? 0 : 1
}

/** The expression in words. */
export function describeCommand(settings: Settings, { out }: Output): number {
  const { expression, lang, seed, json } = settings
  const text = describe(expression, { lang, seed })
  out(json ? JSON.stringify({ expression, lang, text }, undefined, 2) : text)
  return 0
}

/** The days of a year on which it is due. */
export function yearCommand(settings: Settings, { out, error }: Output): number {
  const { expression, rest, timezone, dst, seed, from, json } = settings
  const trigger = toTrigger(expression, { timezone, dst, seed })
  const year = rest === undefined ? from.getUTCFullYear() : Number(rest)
  if (!Number.isInteger(year) || year < 1970 || year > 9999) {
    throw new UsageError(`year: expected a year from 1970 to 9999, got ${JSON.stringify(rest)}`)
  }
  const zone = trigger.timezone ?? timezone
  const days = daysOf(trigger, year, zone)
  if (json) out(JSON.stringify({ expression, timezone: zone, year, days }, undefined, 2))
  else {
    out(
      `${expression}  ${zone ?? 'UTC'}  due on ${days.length} ${days.length === 1 ? 'day' : 'days'} of ${year}\n`,
    )
    out(drawYear(year, days))
  }
  if (days.length > 0) return 0
  error(`escapement: ${JSON.stringify(expression)} is not due in ${year}`)
  return 1
}
