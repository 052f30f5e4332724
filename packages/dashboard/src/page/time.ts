import { t } from './i18n/index.ts'
import { language, times } from './settings.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/** The zone in which instants are shown, by the reader's choice. */
export function zoneFor(jobZone?: string): string | undefined {
  if (times.value === 'utc') return 'UTC'
  return times.value === 'job' ? jobZone : undefined
}

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([language.value, options])
  let known = formats.get(key)
  if (!known) {
    const locale = language.value === 'zh' ? 'zh-CN' : 'en-GB'
    try {
      known = new Intl.DateTimeFormat(locale, options)
    } catch {
      known = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
    }
    formats.set(key, known)
  }
  return known
}

const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const

export function clock(at: string | number, zone?: string, seconds = false): string {
  const options = { ...CLOCK, ...(seconds ? { second: '2-digit' as const } : {}), timeZone: zone }
  return format(options).format(new Date(at))
}

export function day(at: string | number, zone?: string): string {
  return format({ weekday: 'short', day: 'numeric', month: 'short', timeZone: zone }).format(new Date(at))
}

export function month(at: number): string {
  return format({ month: 'short', timeZone: 'UTC' }).format(new Date(at))
}

/** The day only when it is not today. */
export function moment(at: string | number, reference: number, zone?: string): string {
  const same = day(at, zone) === day(reference, zone)
  return same ? clock(at, zone, true) : `${day(at, zone)}, ${clock(at, zone)}`
}

/** All of it, with the zone: for titles. */
export function full(at: string | number, zone?: string): string {
  return format({ dateStyle: 'medium', timeStyle: 'long', timeZone: zone }).format(new Date(at))
}

/** The label of the zone in which times are shown now. */
export function zoneLabel(jobZone?: string): string {
  const zone = zoneFor(jobZone)
  return zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** A length of time in at most two units: `1 h 05 min`, `340 ms`. */
export function span(ms: number): string {
  const u = language.value === 'zh' ? ZH : EN
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const s = ms / 1_000
  if (s < 10) return `${s.toFixed(1)} ${u.s}`
  if (s < 60) return `${Math.round(s)} ${u.s}`
  const whole = Math.round(s)
  if (whole >= 600 && whole < 3_600) return `${Math.round(whole / 60)} ${u.min}`
  if (whole < 3_600) return two(Math.floor(whole / 60), u.min, whole % 60, u.s)
  if (whole < 172_800) return two(Math.floor(whole / 3_600), u.h, Math.floor((whole % 3_600) / 60), u.min)
  return two(Math.floor(whole / 86_400), u.d, Math.floor((whole % 86_400) / 3_600), u.h)
}

const EN = { s: 's', min: 'min', h: 'h', d: 'd' }
const ZH = { s: '秒', min: '分', h: '小时', d: '天' }

function two(a: number, unitA: string, b: number, unitB: string): string {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`
}

/** `in 5 min`, `2 h ago`. */
export function relative(at: string | number, reference: number): string {
  const ms = new Date(at).getTime() - reference
  // From two minutes on nobody counts seconds.
  const unit = Math.abs(ms) < 120_000 ? 1_000 : 60_000
  const length = span(Math.round(Math.abs(ms) / unit) * unit)
  if (Math.abs(ms) < 1_000) return t('time.now')
  return ms > 0 ? t('time.in', { span: rough(length) }) : t('time.ago', { span: rough(length) })
}

/** `9.0 s` is `9 s`. */
const rough = (text: string) => text.replace('.0 ', ' ')
