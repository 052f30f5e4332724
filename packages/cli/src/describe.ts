import { cron } from '@escapement/core'
import cronstrue from 'cronstrue/i18n.js'

// Its types describe another nesting of the CommonJS default than Node and bundlers give.
const library = cronstrue as unknown as typeof cronstrue.default

export interface DescribeOptions {
  /** Default `'en'`. */
  readonly lang?: 'en' | 'zh' | undefined
  /** Settles `H`. */
  readonly seed?: string | undefined
}

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

const phrases = {
  en: {
    every: (text: string) => `Every ${text}, as time elapses`,
    nearLast: (days: string) => `on the weekday nearest ${days} days before the last day of the month`,
    comma: ', ',
    or: '; or: ',
    either: ' (either day will do)',
    both: ' (both must hold)',
  },
  zh: {
    every: (text: string) => `每隔 ${text}（按经过的时间）`,
    nearLast: (days: string) => `限每月最后一天之前第${days}天最接近的工作日`,
    comma: ', ',
    or: '；或者：',
    either: '（两个日期条件满足其一即可）',
    both: '（两个日期条件须同时满足）',
  },
}

/**
 * A cron expression in English or Chinese words. The words are cronstrue's; what it does not know of the dialect
 * (`W` in lists, `L-2W`, `@every`, `H`) and how the two day fields go together is said by us.
 *
 * @throws What `cron()` throws.
 * @example
 * describe('0 0 LW * *') // 'At 00:00, on the last weekday of the month'
 * describe('0 0 LW * *', { lang: 'zh' }) // '在00:00, 限每月的最后一个工作日'
 */
export function describe(expression: string, { lang = 'en', seed }: DescribeOptions = {}): string {
  const words = phrases[lang]
  const { plain } = cron(expression, { timezone: 'UTC', seed })
  const every = /^@every\s+(\S+)$/i.exec(plain)
  if (every) return words.every(every[1] as string)
  const fields = plain.toUpperCase().split(/\s+/)
  const date = fields.length === 5 ? 2 : 3
  fields[date + 2] = (fields[date + 2] as string).split(',').map(plainWeekday).join(',')
  const dates = (fields[date] as string).split(',')
  // A list with W in it: one description each.
  const alternatives = dates.some((item) => item.endsWith('W')) ? dates : [fields[date] as string]
  const told = alternatives.map((item) => {
    const back = /^L-(\d+)W$/.exec(item)?.[1]
    if (back === undefined) return tell(fields.with(date, item), lang)
    if (back === '0') return tell(fields.with(date, 'LW'), lang)
    return `${tell(fields.with(date, '*'), lang)}${words.comma}${words.nearLast(back)}`
  })
  return told.join(words.or) + together(fields[date] as string, fields[date + 2] as string, lang)
}

function tell(fields: string[], lang: 'en' | 'zh'): string {
  return library.toString(fields.join(' '), {
    locale: lang === 'zh' ? 'zh_CN' : 'en',
    use24HourTimeFormat: true,
    throwExceptionOnParseError: true,
  })
}

// `FRIL`, `7L`, `5#L` as `5L`, `0L`, `5L`.
function plainWeekday(item: string): string {
  const last = /^(\d|[A-Z]{3})#?L$/.exec(item)?.[1]
  if (last === undefined) return item
  return `${weekdays.includes(last) ? weekdays.indexOf(last) : Number(last) % 7}L`
}

/** How the two day fields go together, if both say something. */
function together(date: string, day: string, lang: 'en' | 'zh'): string {
  if (/^[*?]$/.test(date) || /^[*?]$/.test(day)) return ''
  return /^[*?]/.test(date) || /^[*?]/.test(day) ? phrases[lang].both : phrases[lang].either
}
