import { cron } from '@escapement/core'
import { checkKeys, oneOf } from '@escapement/core/plugin'
import { readField, readValue, runsOf, units, type Values } from './values.ts'
import { words as languages, type Words } from './words.ts'

export interface DescribeOptions {
  /** Default `'en'`. */
  readonly lang?: 'en' | 'zh' | undefined
  /** Settles `H`. */
  readonly seed?: string | undefined
}

/** The number of times of day that are said one by one. */
const FEW = 6

/**
 * A cron expression in English or Chinese words. They say what its fields allow, not how it was written: `1-5` and
 * `MON,TUE,WED,THU,FRI` are the same words.
 *
 * @throws What `cron()` throws, and `ERR_ESCAPEMENT_OPTION`.
 * @example
 * describe('0 0 LW * *') // 'At 00:00, on the last weekday of the month'
 * describe('0 0 LW * *', { lang: 'zh' }) // '在00:00, 限每月的最后一个工作日'
 */
export function describe(expression: string, options: DescribeOptions = {}): string {
  checkKeys(options, { lang: 1, seed: 1 }, 'describe() option')
  const { lang = 'en', seed } = options
  const words = languages[oneOf('lang', lang, ['en', 'zh'])]
  const { plain } = cron(expression, { timezone: 'UTC', seed })
  const every = /^@every\s+(\S+)$/i.exec(plain)
  if (every) return words.every(every[1] as string)
  const fields = plain.split(/\s+/)
  if (fields.length === 5) fields.unshift('0')
  const [second = '0', minute = '*', hour = '*', date = '*', month = '*', weekday = '*', year = '*'] = fields
  const months = readField(month, units.month)
  const parts = [
    ...timeOfDay(
      readField(second, units.second),
      readField(minute, units.minute),
      readField(hour, units.hour),
      words,
    ),
    dayOf(readField(date, units.date), readField(weekday, units.weekday), words),
    months.all ? undefined : words.months(months.plain),
    year === '*' ? undefined : words.years(readField(year, units.year).plain),
  ]
  const text = parts.filter((part) => part !== undefined).join(words.comma)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function timeOfDay(second: Values, minute: Values, hour: Values, words: Words): string[] {
  const [s] = second.plain
  const sole = second.plain.length === 1
  const clock = (h: number, m: number) => [h, m, ...(sole && s !== 0 ? [s as number] : [])].map(two).join(':')
  if (sole && minute.plain.length * hour.plain.length <= FEW)
    return [words.times(hour.plain.flatMap((h) => minute.plain.map((m) => clock(h, m))))]
  const [m] = minute.plain
  const run = runsOf(hour.plain, 0, 24)
  const [from, to] = run.length === 1 && run[0] ? run[0] : []
  if (sole && minute.plain.length === 1 && from !== undefined && to !== undefined && !hour.all)
    return [words.hourly(clock(from, m as number), clock(to, m as number))]
  return [
    ...secondsOf(second, minute, words),
    ...minutesOf(second, minute, hour, words),
    ...hoursOf(minute, hour, words),
  ]
}

function secondsOf({ plain, all }: Values, minute: Values, words: Words): string[] {
  if (all) return [words.everySecond]
  if (plain.length === 1 && plain[0] === 0) return []
  const n = divisor(plain, 60)
  if (n) return [words.everySeconds(n)]
  return [words.seconds(plain), ...(minute.all ? [words.everyMinute] : [])]
}

function minutesOf(second: Values, { plain, all }: Values, hour: Values, words: Words): string[] {
  const atZero = second.plain.length === 1 && second.plain[0] === 0
  if (all) return atZero ? [words.everyMinute] : []
  const n = divisor(plain, 60)
  if (n) return [words.everyMinutes(n)]
  // "Every hour" says enough where nothing else is said of the time.
  if (atZero && plain.length === 1 && plain[0] === 0 && (hour.all || divisor(hour.plain, 24))) return []
  return [words.minutes(plain)]
}

function hoursOf(minute: Values, { plain, all }: Values, words: Words): string[] {
  const onTheHour = minute.plain.length === 1 && minute.plain[0] === 0
  if (all) return onTheHour ? [words.everyHour] : []
  const n = minute.plain.length === 1 ? divisor(plain, 24) : undefined
  if (n) return [words.everyHours(n)]
  const runs = runsOf(plain, 0, 24)
  const [from, to = from] = runs.length === 1 && runs[0] ? runs[0] : []
  return from === undefined || to === undefined
    ? [words.hours(plain)]
    : [words.between(`${two(from)}:00`, `${two(to)}:59`)]
}

/** n, if the values are all multiples of n, and the field is a multiple of n too: then they are always n apart. */
function divisor(values: readonly number[], size: number): number | undefined {
  const n = size / values.length
  return values.length > 1 && Number.isInteger(n) && values.every((value, i) => value === i * n)
    ? n
    : undefined
}

function dayOf(date: Values, weekday: Values, words: Words): string | undefined {
  const dates = [
    ...(date.plain.length > 0 ? [words.dates(date.plain)] : []),
    ...date.special.map((item) => specialDate(item, words)),
  ]
  const free = { date: date.star && date.all, weekday: weekday.star && weekday.all }
  const days = [
    ...(weekday.plain.length > 0 ? [words.weekdays(weekday.plain, !free.date)] : []),
    ...weekday.special.map((item) => specialWeekday(item, words)),
  ]
  if (free.date && free.weekday) return undefined
  if (free.date) return days.join(words.or)
  if (free.weekday) return dates.join(words.or)
  const group = (all: string[]) => (all.length > 1 ? `(${all.join(words.or)})` : all.join(''))
  return date.star || weekday.star
    ? words.both(group(dates), group(days))
    : words.either(group(dates), group(days))
}

function specialDate(item: string, words: Words): string {
  const near = /^(\d+)W$/.exec(item)
  if (near) return words.nearDate(Number(near[1]))
  const back = Number(/^L-(\d+)/.exec(item)?.[1] ?? 0)
  return item.endsWith('W') ? words.nearLast(back) : words.lastDate(back)
}

// `FRI#3`, `5#L`, `FRIL`.
function specialWeekday(item: string, words: Words): string {
  const [day = '', nth = 'L'] = item.includes('#') ? item.split('#') : [item.slice(0, -1)]
  return words.nthWeekday(readValue(day, units.weekday) % 7, nth === 'L' ? 0 : Number(nth))
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}
