import type { ErrorFacts, Message, Notice } from '../types/index.ts'
import { oneLine } from '../util/plain-text.ts'
import { type Label, type Locale, words as languages, type Words } from './locales.ts'

/** A label and what it says. `code`: an identifier, to be copied. */
export interface Fact {
  readonly label: string
  readonly value: string
  readonly code?: boolean
}

/** One incident, in words. */
export interface Card {
  readonly notice: Notice
  readonly title: string
  /** `failed`, `recovered`, `failed · still open`, … */
  readonly badge: string
  readonly description: string | undefined
  /** What happened. */
  readonly sentence: string
  /** The last error on one line; undefined when there is none, or when it is over. */
  readonly error: string | undefined
  readonly facts: readonly Fact[]
  /** To the runbook and the trace, where these are web addresses. */
  readonly links: readonly { label: string; url: string }[]
}

/** What a message says, in words. */
export interface Description {
  readonly words: Words
  readonly app: string
  readonly title: string
  readonly summary: string
  /** One for each notice, the worst first. */
  readonly cards: readonly Card[]
  /** Of the message: green when all is over, else by severity. */
  readonly tone: Tone
}

export type Tone = 'bad' | 'warn' | 'info' | 'good'

const TONES = { critical: 'bad', error: 'bad', warning: 'warn', info: 'info' } as const

/** Red, amber, blue; green for what is over. */
export function tone({ status, severity }: Notice): Tone {
  return status === 'recovered' ? 'good' : TONES[severity]
}

/**
 * Puts a message into words, for channels.
 *
 * @param app Who speaks. Default `Escapement`.
 *
 * @example
 * const { title, cards } = describe(message, { locale: 'en' })
 * const lines = cards.map(({ title, badge, sentence }) => `${title} ${badge}: ${sentence}`)
 */
export function describe(
  message: Message,
  { locale = 'en', app = 'Escapement' }: { locale?: Locale; app?: string } = {},
): Description {
  const words = languages[locale]
  const { notices } = message
  const cards = notices.map((notice) => card(notice, words))
  const recovered = notices.filter(({ status }) => status === 'recovered').length
  const [first] = cards
  return {
    words,
    app,
    title: first && notices.length === 1 ? first.title : words.titleOfMany(notices.length),
    summary:
      first && notices.length === 1 ? first.sentence : words.summary(notices.length - recovered, recovered),
    cards,
    tone: recovered === notices.length ? 'good' : TONES[message.severity],
  }
}

/** `TypeError`, `Error ECONNREFUSED` */
export function errorName({ name, code }: ErrorFacts): string {
  return oneLine(code && !name.includes(code) ? `${name} ${code}` : name, 120)
}

function card(notice: Notice, words: Words): Card {
  const { kind, status, subject, told, escalated } = notice
  const last = notice.errors.at(-1)
  const badge = status === 'recovered' ? words.recovered : words.kind[kind]
  const extra = status === 'open' ? [told > 0 && words.again, escalated && words.escalated] : []
  return {
    notice,
    title: subject,
    badge: [badge, ...extra].filter(Boolean).join(' · '),
    description: notice.job?.description,
    sentence: words.sentence(notice),
    error: status === 'open' && last ? `${errorName(last)}: ${oneLine(last.message, 300)}` : undefined,
    // Made when they are read: a message of a thousand notices is a list, and needs them of none.
    get facts() {
      return facts(notice, words)
    },
    links: (status === 'recovered'
      ? []
      : [
          { label: words.runbook, url: webLink(notice.job?.runbook) },
          { label: words.trace, url: webLink(notice.run?.traceUrl) },
        ]
    ).filter((link): link is { label: string; url: string } => link.url !== undefined),
  }
}

/** Who, when, where: only what is known. What is over is reported in short. */
function facts(notice: Notice, words: Words): Fact[] {
  const { job, run, status, count, openedAt, recoveredAt, lastSuccess, detail, told, errors } = notice
  const zone = job?.timezone ?? 'UTC'
  const over = status === 'recovered'
  const found: Fact[] = []
  const add = (label: Label, value: string | undefined, code = false) => {
    if (value !== undefined && value !== '') found.push({ label: words.label[label], value, code })
  }
  const at = (date: Date | undefined, timezone = zone) => date && moment(date, timezone, words.lang)
  add('detail', detail)
  if (run && !over) {
    add('scheduledAt', at(run.scheduledAt))
    const utc = at(run.scheduledAt, 'UTC') as string
    if (wall(utc) !== wall(at(run.scheduledAt) as string)) add('utc', utc)
    add('started', at(run.startedAt))
    if (run.endedAt) add('took', words.duration(run.duration))
    // Else they are reported one by one.
    if (run.attempts > 1 && errors.length < 2) add('attempts', String(run.attempts))
  }
  if (count > 1 || told > 0 || over) add('since', at(openedAt))
  add('recoveredAt', at(recoveredAt))
  if (count > 1) add('met', words.times(count))
  if (job && over) add('next', at(job.next) ?? words.noNext)
  if (over) return found
  if (job) {
    add('lastSuccess', at(lastSuccess) ?? words.none)
    add('next', at(job.next) ?? words.noNext)
    add('schedule', job.schedule && `${job.schedule} (${zone})`)
    add('owner', job.owner)
    add('group', job.group)
    // A runbook that is not a web address is still of use to a reader.
    if (!webLink(job.runbook)) add('runbook', job.runbook)
  }
  add('instance', run?.instance, true)
  add('run', run?.id, true)
  add('trace', run?.traceId, true)
  return found
}

/** Without the zone. */
function wall(moment: string): string {
  return moment.slice(0, moment.lastIndexOf(' '))
}

/** `Fri, 20 Nov 2026, 09:00:00 GMT+8`, `2026年11月20日周五 09:00:00 GMT+8`: the same on every version of Node. */
export function moment(date: Date, timeZone: string, lang: string): string {
  const chinese = lang !== 'en'
  const format = formatOf(timeZone, chinese)
  const part = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]))
  const day = chinese
    ? `${part.year}年${part.month?.replace('月', '')}月${part.day?.replace('日', '')}日${part.weekday}`
    : `${part.weekday}, ${part.day} ${part.month} ${part.year},`
  return `${day} ${part.hour}:${part.minute}:${part.second} ${part.timeZoneName}`
}

/** Making one takes longer than using it. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string, chinese: boolean): Intl.DateTimeFormat {
  const key = `${chinese} ${timeZone}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.DateTimeFormat(chinese ? 'zh-CN' : 'en-US', {
      timeZone,
      weekday: 'short',
      day: 'numeric',
      month: chinese ? 'numeric' : 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'short',
    })
    if (formats.size >= 1000) formats.clear()
    formats.set(key, format)
  }
  return format
}

/** An address that is safe behind a link, or undefined. */
export function webLink(address: string | undefined): string | undefined {
  if (address === undefined || address.length > 2000) return undefined
  try {
    const url = new URL(address)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
  } catch {
    return undefined
  }
}
