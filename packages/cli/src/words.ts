import { type Run, runsOf, stepOf } from './values.ts'

/** How the parts of a description are said in one language. */
export interface Words {
  every(duration: string): string
  /** `09:00 and 12:00` */
  times(times: readonly string[]): string
  everySecond: string
  everySeconds(n: number): string
  seconds(values: readonly number[]): string
  everyMinute: string
  everyMinutes(n: number): string
  minutes(values: readonly number[]): string
  everyHour: string
  everyHours(n: number): string
  hourly(from: string, to: string): string
  hours(values: readonly number[]): string
  between(from: string, to: string): string
  dates(values: readonly number[]): string
  lastDate(back: number): string
  nearDate(date: number): string
  nearLast(back: number): string
  weekdays(values: readonly number[], combined: boolean): string
  /** `nth` 0 is the last. */
  nthWeekday(day: number, nth: number): string
  months(values: readonly number[]): string
  years(values: readonly number[]): string
  comma: string
  or: string
  /** Two conditions on the day, and how they go together. */
  either(date: string, weekday: string): string
  both(date: string, weekday: string): string
}

const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const months = 'January February March April May June July August September October November December'.split(
  ' ',
)
const nths = ['last', 'first', 'second', 'third', 'fourth', 'fifth']

function list(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

function runs(all: readonly Run[], show: (value: number) => string): string {
  return list(all.map(([a, b]) => (b === undefined ? show(a) : `${show(a)} through ${show(b)}`)))
}

/** `1, 5 through 9 and 20`, or `every 2 from 1 through 59`. */
function numbers(values: readonly number[], min: number, cycle?: number): string {
  const step = stepOf(values)
  return step
    ? `every ${step} from ${values[0]} through ${values.at(-1)}`
    : runs(runsOf(values, min, cycle), String)
}

const en: Words = {
  every: (text) => `Every ${text}, as time elapses`,
  times: (times) => `at ${list(times)}`,
  everySecond: 'every second',
  everySeconds: (n) => `every ${n} seconds`,
  seconds: (values) => `at ${numbers(values, 0, 60)} seconds past the minute`,
  everyMinute: 'every minute',
  everyMinutes: (n) => `every ${n} minutes`,
  minutes: (values) => `at ${numbers(values, 0, 60)} minutes past the hour`,
  everyHour: 'every hour',
  everyHours: (n) => `every ${n} hours`,
  hourly: (from, to) => `every hour, from ${from} through ${to}`,
  hours: (values) => `in the hours ${numbers(values, 0, 24)}`,
  between: (from, to) => `between ${from} and ${to}`,
  dates: (values) => `on day ${numbers(values, 1)} of the month`,
  lastDate: (back) =>
    back === 0 ? 'on the last day of the month' : `on the day ${days(back)} before the last day of the month`,
  nearDate: (date) => `on the weekday nearest day ${date} of the month`,
  nearLast: (back) =>
    back === 0
      ? 'on the last weekday of the month'
      : `on the weekday nearest ${days(back)} before the last day of the month`,
  weekdays: (values, combined) => {
    const text = runs(runsOf(values, 0, 7), (day) => weekdays[day] as string)
    return combined || !text.includes('through') ? `on ${text}` : text
  },
  nthWeekday: (day, nth) => `on the ${nths[nth]} ${weekdays[day]} of the month`,
  months: (values) => `only in ${runs(runsOf(values, 1, 12), (month) => months[month - 1] as string)}`,
  years: (values) => `only in ${numbers(values, 1970)}`,
  comma: ', ',
  or: '; or: ',
  either: (date, weekday) => `${date}, and ${weekday} (either day will do)`,
  both: (date, weekday) => `${date}, and ${weekday} (both must hold)`,
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`
}

const zhDays = '日一二三四五六'
const zhMonths = '一 二 三 四 五 六 七 八 九 十 十一 十二'.split(' ')

function zhRuns(all: readonly Run[], show: (value: number) => string): string {
  return all.map(([a, b]) => (b === undefined ? show(a) : `${show(a)}至${show(b)}`)).join('、')
}

function zhNumbers(values: readonly number[], min: number, cycle?: number): string {
  const step = stepOf(values)
  return step ? `${values[0]}至${values.at(-1)}每隔${step}` : zhRuns(runsOf(values, min, cycle), String)
}

const zh: Words = {
  every: (text) => `每隔 ${text}（按经过的时间）`,
  times: (times) => `在${times.join('、')}`,
  everySecond: '每秒',
  everySeconds: (n) => `每隔 ${n} 秒`,
  seconds: (values) => `在整分后的第 ${zhNumbers(values, 0, 60)} 秒`,
  everyMinute: '每分钟',
  everyMinutes: (n) => `每隔 ${n} 分钟`,
  minutes: (values) => `在整点后的第 ${zhNumbers(values, 0, 60)} 分钟`,
  everyHour: '每小时',
  everyHours: (n) => `每隔 ${n} 小时`,
  hourly: (from, to) => `每小时, 从 ${from} 至 ${to}`,
  hours: (values) => `在 ${zhNumbers(values, 0, 24)} 时`,
  between: (from, to) => `在 ${from} 和 ${to} 之间`,
  dates: (values) => `限每月 ${zhNumbers(values, 1)} 号`,
  lastDate: (back) => (back === 0 ? '限每月的最后一天' : `限每月最后一天之前的第${back}天`),
  nearDate: (date) => `限每月最接近 ${date} 号的工作日`,
  nearLast: (back) => (back === 0 ? '限每月的最后一个工作日' : `限每月最后一天之前第${back}天最接近的工作日`),
  weekdays: (values) => zhRuns(runsOf(values, 0, 7), (day) => `星期${zhDays[day]}`),
  nthWeekday: (day, nth) => `限每月的${nth === 0 ? '最后一个' : `第${zhDays[nth]}个`}星期${zhDays[day]}`,
  months: (values) => `仅于${zhRuns(runsOf(values, 1, 12), (month) => `${zhMonths[month - 1]}月`)}`,
  years: (values) => `仅于 ${zhNumbers(values, 1970)} 年`,
  comma: ', ',
  or: '；或者：',
  either: (date, weekday) => `${date}, 或者为${weekday}（两个日期条件满足其一即可）`,
  both: (date, weekday) => `${date}, 并且为${weekday}（两个日期条件须同时满足）`,
}

export const words: Record<'en' | 'zh', Words> = { en, zh }
