import { EscapementError, show } from '../errors.ts'
import type { Duration } from '../types/index.ts'

const units: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const words: Record<string, string> = { milli: 'ms', sec: 's', min: 'm', h: 'h', d: 'd', w: 'w' }
const parts = /(\d+(?:\.\d+)?)(ms|[smhdw])/gy

/**
 * Reads a duration into milliseconds. Throws `ERR_ESCAPEMENT_DURATION`, naming the option it was given for.
 *
 * @param value Milliseconds, or `'250ms'`, `'90s'`, `'10m'`, `'1h30m'`, `'1.5h'`, `'2d'`, `'1w'`.
 * @param what The option's name, for the message.
 * @param range Smallest (default 0) and largest value allowed, in milliseconds.
 * @example
 * parseDuration('1h30m', 'timeout') // 5_400_000
 */
export function parseDuration(
  value: Duration,
  what: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
): number {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? read(value) : undefined
  if (ms === undefined || !Number.isFinite(ms)) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_DURATION',
      `${what}: expected a duration such as "10m", "1h30m" or a number of milliseconds, got ${show(value)}${hint(value)}`,
    )
  }
  if (ms < min || ms > max) {
    const range = ms < min ? `at least ${formatDuration(min)}` : `at most ${formatDuration(max)}`
    throw new EscapementError('ERR_ESCAPEMENT_DURATION', `${what}: must be ${range}, got ${show(value)}`)
  }
  return ms
}

/** The same for what is counted in whole milliseconds. Text is rounded; a number with a fraction is refused. */
export function wholeDuration(value: Duration, what: string, range?: { min?: number; max?: number }): number {
  const ms = parseDuration(value, what, range)
  if (Number.isSafeInteger(ms)) return ms
  throw new EscapementError(
    'ERR_ESCAPEMENT_DURATION',
    `${what}: expected a whole number of milliseconds, got ${show(value)}: write ${Math.max(1, Math.round(ms))}`,
  )
}

/**
 * Writes milliseconds as `parseDuration` reads them.
 *
 * @example
 * formatDuration(5_400_000) // '1h30m'
 */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms)
  if (rest <= 0) return `${rest}ms`
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const count = Math.floor(rest / (units[unit] as number))
    if (count > 0) text += `${count}${unit}`
    rest -= count * (units[unit] as number)
  }
  return text
}

function read(text: string): number | undefined {
  let ms = 0
  parts.lastIndex = 0
  while (parts.lastIndex < text.length) {
    const part = parts.exec(text)
    if (!part) return undefined
    ms += Number(part[1]) * (units[part[2] as string] as number)
  }
  return text === '' ? undefined : Math.round(ms)
}

function hint(value: unknown): string {
  if (typeof value !== 'string' || value.length > 40) return ''
  if (/^\d+$/.test(value)) return `; did you mean "${value}s" or ${value} (milliseconds)?`
  const short = value
    .toLowerCase()
    .replace(/\b(and)\b|[\s,]+/g, '')
    .replace(/([a-z]+)/g, (word) => {
      const known = Object.keys(words).find((start) => word.startsWith(start))
      return word in units ? word : known ? (words[known] as string) : word
    })
  return read(short) === undefined ? '' : `; did you mean "${short}"?`
}
