import { weekdays } from './fields.ts'

/** What to write here for a form of another scheduler or of everyday life; undefined where nothing is known of it. */
export function foreignHint(expression: string): string | undefined {
  const text = expression.trim().replace(/\s+/g, ' ')
  const call = /^(cron|rate|at) ?\((.*)\)$/i.exec(text)
  if (call) return ofAws((call[1] as string).toLowerCase(), (call[2] as string).trim())
  const fields = text.split(' ')
  if (isYearLast(fields))
    return `six fields are second, minute, hour, day-of-month, month, day-of-week; this looks like one with the year last, as AWS has it: ${write(withYearLast(fields))}`
  const interval = /^(?:every )?((?:\d+(?:\.\d+)?(?:ms|[smhdw]))+)$/i.exec(text)
  if (interval) return `for an interval ${write(`@every ${(interval[1] as string).toLowerCase()}`)}`
  const words = /^every (\d+) (second|minute|hour|day)s?$/i.exec(text)
  if (words) return `words are not understood: ${write(every(words))}`
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text)
  if (time) return `for a time of day ${write(`${Number(time[2])} ${Number(time[1])} * * *`)}`
  return undefined
}

function ofAws(name: string, inner: string): string | undefined {
  if (name === 'at') {
    const local = inner.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?$/i, '$1 $2')
    return `that is the form of AWS: write at('${local}', { timezone }) in code`
  }
  if (name === 'rate') {
    const rate = /^(\d+) (minute|hour|day)s?$/i.exec(inner)
    return rate
      ? `that is the form of AWS: ${write(every(rate))}`
      : 'that is the form of AWS, with a number and minutes, hours or days'
  }
  const fields = inner.split(' ')
  return fields.length === 6
    ? `that is the form of AWS: ${write(withYearLast(fields))}`
    : 'that is the form of AWS, with minute, hour, day-of-month, month, day-of-week, year: write the first five'
}

/** Six fields that cannot be second first: the fifth is no month, or the sixth is a year. */
function isYearLast(fields: readonly string[]): boolean {
  const [, , , , fifth = '', sixth = ''] = fields
  if (fields.length !== 6) return false
  const isWeekday =
    fifth === '?' || /#|\dL|^L$/i.test(fifth) || weekdays.some((day) => fifth.toUpperCase().includes(day))
  return isWeekday || /^(19|20|21)\d\d\b/.test(sixth)
}

function withYearLast(fields: readonly string[]): string {
  const [minute, hour, date = '', month, weekday = '', year] = fields
  // AWS needs a `?`, and counts weekdays from 1; others of this form count as we do.
  const day = date === '?' || weekday === '?' ? fromZero(weekday) : weekday
  const five = [minute, hour, date, month, day].join(' ')
  return year === '*' || year === '?' ? five : `0 ${five} ${year}`
}

/** Weekdays from 1 as weekdays from 0; not what stands after `#` or `/`. */
function fromZero(weekday: string): string {
  return weekday.replace(/(^|[,-])([1-7])/g, (_, before, day) => `${before}${Number(day) - 1}`)
}

function every([, count, unit = '']: readonly string[]): string {
  return `@every ${count}${unit.charAt(0).toLowerCase()}`
}

function write(idea: string): string {
  return `write "${idea}"`
}
