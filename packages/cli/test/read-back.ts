/** Reads the words of `describe` back, without a look at the expression: whether they hold at an instant (UTC). */
export type Holds = (at: Date) => boolean

const enDays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const enMonths =
  'January February March April May June July August September October November December'.split(' ')
const enNths = 'last first second third fourth fifth'.split(' ')
const zhMonths = '一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月'.split(' ')

type Phrase = [pattern: RegExp, read: (found: string[]) => Holds]

interface Language {
  phrases: Phrase[]
  or: string
  combined: [and: string, suffix: string, both: boolean][]
}

const hour = (at: Date) => at.getUTCHours()
const minute = (at: Date) => at.getUTCMinutes()
const second = (at: Date) => at.getUTCSeconds()
const date = (at: Date) => at.getUTCDate()
const lastOf = (at: Date) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()

/** `1, 5 through 9 and 20` or `every 2 from 1 through 59`, of numbers or names; a run may go over the end. */
function list(text: string, low: number, high: number, names?: readonly string[]): Set<number> {
  const value = (word: string) => (names ? names.indexOf(word) + low : Number(word))
  const stepped = /^(?:every (\d+) from )?(\d+)(?: through |至)(\d+)(?:每隔(\d+))?$/.exec(text)
  const step = Number(stepped?.[1] ?? stepped?.[4] ?? 0)
  const found = new Set<number>()
  if (stepped && step) {
    for (let v = Number(stepped[2]); v <= Number(stepped[3]); v += step) found.add(v)
    return found
  }
  for (const part of text.split(/, | and |、/)) {
    const [a = '', b = a] = part.split(/ through |至/)
    for (let v = value(a); ; v = v === high ? low : v + 1) {
      found.add(v)
      if (v === value(b)) break
      if (found.size > high - low + 1) throw new Error(`no list: ${text}`)
    }
  }
  return found
}

function times(text: string): Holds {
  const all = text.split(/, | and |、/).map((time) => (time.length === 5 ? `${time}:00` : time))
  return (at) => all.includes(at.toISOString().slice(11, 19))
}

function nearest(at: Date, target: number): boolean {
  const last = lastOf(at)
  if (target < 1 || target > last) return false
  let best = 0
  for (let day = 1; day <= last; day++) {
    const weekday = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), day)).getUTCDay()
    if (weekday === 0 || weekday === 6) continue
    if (best === 0 || Math.abs(day - target) < Math.abs(best - target)) best = day
  }
  return date(at) === best
}

function nth(at: Date, day: number, which: number): boolean {
  if (at.getUTCDay() !== day) return false
  return which === 0 ? date(at) + 7 > lastOf(at) : Math.ceil(date(at) / 7) === which
}

const NUMBERS = '(?:every \\d+ from )?\\d+(?:(?:, | and | through )\\d+)*'
const DAYS = `(?:${enDays.join('|')})`
const MONTHS = `(?:${enMonths.join('|')})`
const TIME = '\\d\\d:\\d\\d(?::\\d\\d)?'

const en: Language = {
  or: '; or: ',
  combined: [
    [', and ', ' (either day will do)', false],
    [', and ', ' (both must hold)', true],
  ],
  phrases: [
    [new RegExp(`^at (${TIME}(?:(?:, | and )${TIME})*)`), ([a = '']) => times(a)],
    [/^every second/, () => () => true],
    [
      /^every (\d+) seconds/,
      ([n]) =>
        (at) =>
          second(at) % Number(n) === 0,
    ],
    [
      new RegExp(`^at (${NUMBERS}) seconds past the minute`),
      ([a = '']) =>
        (at) =>
          list(a, 0, 59).has(second(at)),
    ],
    [/^every minute/, () => () => true],
    [
      /^every (\d+) minutes/,
      ([n]) =>
        (at) =>
          minute(at) % Number(n) === 0,
    ],
    [
      new RegExp(`^at (${NUMBERS}) minutes past the hour`),
      ([a = '']) =>
        (at) =>
          list(a, 0, 59).has(minute(at)),
    ],
    [
      new RegExp(`^every hour, from (${TIME}) through (${TIME})`),
      ([a = '', b = '']) =>
        (at) =>
          at.toISOString().slice(14, 19) === `${a}:00`.slice(3, 8) &&
          list(`${Number(a.slice(0, 2))} through ${Number(b.slice(0, 2))}`, 0, 23).has(hour(at)),
    ],
    [/^every hour/, () => (at) => minute(at) === 0],
    [
      /^every (\d+) hours/,
      ([n]) =>
        (at) =>
          hour(at) % Number(n) === 0,
    ],
    [
      new RegExp(`^in the hours (${NUMBERS})`),
      ([a = '']) =>
        (at) =>
          list(a, 0, 23).has(hour(at)),
    ],
    [
      /^between (\d\d):00 and (\d\d):59/,
      ([a, b]) =>
        (at) =>
          list(`${Number(a)} through ${Number(b)}`, 0, 23).has(hour(at)),
    ],
    [
      new RegExp(`^on day (${NUMBERS}) of the month`),
      ([a = '']) =>
        (at) =>
          list(a, 1, 31).has(date(at)),
    ],
    [/^on the last day of the month/, () => (at) => date(at) === lastOf(at)],
    [
      /^on the day (\d+) days? before the last day of the month/,
      ([n]) =>
        (at) =>
          date(at) === lastOf(at) - Number(n),
    ],
    [
      /^on the weekday nearest day (\d+) of the month/,
      ([n]) =>
        (at) =>
          nearest(at, Number(n)),
    ],
    [/^on the last weekday of the month/, () => (at) => nearest(at, lastOf(at))],
    [
      /^on the weekday nearest (\d+) days? before the last day of the month/,
      ([n]) =>
        (at) =>
          nearest(at, lastOf(at) - Number(n)),
    ],
    [
      new RegExp(`^on the (\\w+) (${DAYS}) of the month`),
      ([which = '', day = '']) =>
        (at) =>
          nth(at, enDays.indexOf(day), enNths.indexOf(which)),
    ],
    [
      new RegExp(`^(?:on )?(${DAYS}(?:(?:, | and | through )${DAYS})*)`),
      ([a = '']) =>
        (at) =>
          list(a, 0, 6, enDays).has(at.getUTCDay()),
    ],
    [
      new RegExp(`^only in (${MONTHS}(?:(?:, | and | through )${MONTHS})*)`),
      ([a = '']) =>
        (at) =>
          list(a, 1, 12, enMonths).has(at.getUTCMonth() + 1),
    ],
    [
      new RegExp(`^only in (${NUMBERS})`),
      ([a = '']) =>
        (at) =>
          list(a, 1970, 2199).has(at.getUTCFullYear()),
    ],
  ],
}

const N = '\\d+(?:(?:、|至)\\d+)*(?:每隔\\d+)?'
const ZH_DAY = '星期[日一二三四五六]'
const ZH_MONTH = '[一二三四五六七八九十]+月'
const zhDays = [...'日一二三四五六'].map((day) => `星期${day}`)

const zh: Language = {
  or: '；或者：',
  combined: [
    [', 或者为', '（两个日期条件满足其一即可）', false],
    [', 并且为', '（两个日期条件须同时满足）', true],
  ],
  phrases: [
    [new RegExp(`^在(${TIME}(?:、${TIME})*)`), ([a = '']) => times(a)],
    [/^每秒/, () => () => true],
    [
      /^每隔 (\d+) 秒/,
      ([n]) =>
        (at) =>
          second(at) % Number(n) === 0,
    ],
    [
      new RegExp(`^在整分后的第 (${N}) 秒`),
      ([a = '']) =>
        (at) =>
          list(a, 0, 59).has(second(at)),
    ],
    [/^每分钟/, () => () => true],
    [
      /^每隔 (\d+) 分钟/,
      ([n]) =>
        (at) =>
          minute(at) % Number(n) === 0,
    ],
    [
      new RegExp(`^在整点后的第 (${N}) 分钟`),
      ([a = '']) =>
        (at) =>
          list(a, 0, 59).has(minute(at)),
    ],
    [
      new RegExp(`^每小时, 从 (${TIME}) 至 (${TIME})`),
      ([a = '', b = '']) =>
        (at) =>
          at.toISOString().slice(14, 19) === `${a}:00`.slice(3, 8) &&
          list(`${Number(a.slice(0, 2))}至${Number(b.slice(0, 2))}`, 0, 23).has(hour(at)),
    ],
    [/^每小时/, () => (at) => minute(at) === 0],
    [
      /^每隔 (\d+) 小时/,
      ([n]) =>
        (at) =>
          hour(at) % Number(n) === 0,
    ],
    [
      new RegExp(`^在 (${N}) 时`),
      ([a = '']) =>
        (at) =>
          list(a, 0, 23).has(hour(at)),
    ],
    [
      /^在 (\d\d):00 和 (\d\d):59 之间/,
      ([a, b]) =>
        (at) =>
          list(`${Number(a)}至${Number(b)}`, 0, 23).has(hour(at)),
    ],
    [
      new RegExp(`^限每月 (${N}) 号`),
      ([a = '']) =>
        (at) =>
          list(a, 1, 31).has(date(at)),
    ],
    [/^限每月的最后一天/, () => (at) => date(at) === lastOf(at)],
    [
      /^限每月最后一天之前的第(\d+)天/,
      ([n]) =>
        (at) =>
          date(at) === lastOf(at) - Number(n),
    ],
    [
      /^限每月最接近 (\d+) 号的工作日/,
      ([n]) =>
        (at) =>
          nearest(at, Number(n)),
    ],
    [/^限每月的最后一个工作日/, () => (at) => nearest(at, lastOf(at))],
    [
      /^限每月最后一天之前第(\d+)天最接近的工作日/,
      ([n]) =>
        (at) =>
          nearest(at, lastOf(at) - Number(n)),
    ],
    [
      new RegExp(`^限每月的(最后一|第[一二三四五])个(${ZH_DAY})`),
      ([which = '', day = '']) =>
        (at) =>
          nth(at, zhDays.indexOf(day), which === '最后一' ? 0 : '日一二三四五'.indexOf(which.charAt(1))),
    ],
    [
      new RegExp(`^(${ZH_DAY}(?:(?:、|至)${ZH_DAY})*)`),
      ([a = '']) =>
        (at) =>
          list(a, 0, 6, zhDays).has(at.getUTCDay()),
    ],
    [
      new RegExp(`^仅于(${ZH_MONTH}(?:(?:、|至)${ZH_MONTH})*)`),
      ([a = '']) =>
        (at) =>
          list(a, 1, 12, zhMonths).has(at.getUTCMonth() + 1),
    ],
    [
      new RegExp(`^仅于 (${N}) 年`),
      ([a = '']) =>
        (at) =>
          list(a, 1970, 2199).has(at.getUTCFullYear()),
    ],
  ],
}

/** One phrase at the start of a text, and what is left of the text. */
function phrase(text: string, { phrases }: Language): [Holds, string] | undefined {
  let best: [Holds, string] | undefined
  for (const [pattern, read] of phrases) {
    const found = pattern.exec(text)
    const rest = found && text.slice(found[0].length)
    if (!found || rest === null || (best && best[1].length <= rest.length)) continue
    best = [read(found.slice(1)), rest]
  }
  return best
}

/** Phrases of which one must hold, in brackets or not; undefined if the text is something else. */
function alternatives(text: string, language: Language): Holds | undefined {
  const holds: Holds[] = []
  for (const one of text.replace(/^\((.*)\)$/, '$1').split(language.or)) {
    const [hold, rest] = phrase(one, language) ?? []
    if (!hold || rest !== '') return undefined
    holds.push(hold)
  }
  return (at) => holds.some((hold) => hold(at))
}

/** The two conditions on the day, where there are two, cut out of the text. */
function days(text: string, language: Language): [Holds[], string] {
  for (const [and, suffix, both] of language.combined) {
    const end = text.indexOf(suffix)
    if (end < 0) continue
    const head = text.slice(0, end)
    for (let start = 0; start >= 0; start = next(head, start)) {
      for (let middle = head.indexOf(and, start); middle >= 0; middle = head.indexOf(and, middle + 1)) {
        const date = alternatives(head.slice(start, middle), language)
        const day = alternatives(head.slice(middle + and.length), language)
        if (!date || !day) continue
        const rest = head.slice(0, start).replace(/, $/, '') + text.slice(end + suffix.length)
        return [[(at) => (both ? date(at) && day(at) : date(at) || day(at))], rest]
      }
    }
    throw new Error(`not understood: ${text}`)
  }
  return [[], text]
}

export function readBack(described: string, lang: 'en' | 'zh'): Holds {
  const language = lang === 'en' ? en : zh
  const text = described.charAt(0).toLowerCase() + described.slice(1)
  const [holds, left] = days(text, language)
  let rest = left
  while (rest !== '') {
    // All alternatives up to the next comma that belongs to none of them.
    const some: Holds[] = []
    do {
      if (some.length > 0) rest = rest.slice(language.or.length)
      const found = phrase(rest, language)
      if (!found) throw new Error(`not understood: ${rest}`)
      some.push(found[0])
      rest = found[1]
    } while (rest.startsWith(language.or))
    holds.push((at) => some.some((hold) => hold(at)))
    rest = rest.replace(/^, /, '')
  }
  // What is not said is zero.
  if (/^(every \d+ hours|每隔 \d+ 小时)/.test(text)) holds.push((at) => minute(at) === 0)
  if (!/second|秒|\d\d:\d\d:\d\d/.test(text.replace(/the second \w+day/g, '')))
    holds.push((at) => second(at) === 0)
  return (at) => holds.every((hold) => hold(at))
}

/** Where the next part of a text begins. */
function next(text: string, from: number): number {
  const at = text.indexOf(', ', from)
  return at < 0 ? -1 : at + 2
}
