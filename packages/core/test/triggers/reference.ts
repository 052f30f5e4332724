/**
 * A slow, independent reading of the dialect for checks: every field by its own rules, dates by `Date`, zones by
 * `Intl` alone. Shares nothing with the engine.
 */
export interface Reference {
  matches(local: Date): boolean
  /** Of the date alone. */
  matchesDay(local: Date): boolean
  readonly followsElapsedTime: boolean
}

const names: Record<number, string[]> = {
  4: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  5: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
}
const bounds: [number, number][] = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
  [1970, 2199],
]

export function reference(expression: string): Reference {
  let parts = expression.trim().split(/\s+/)
  if (parts.length === 5) parts = ['0', ...parts]
  if (parts.length === 6) parts = [...parts, '*']
  const number = (text: string, field: number) => {
    const at = names[field]?.indexOf(text.toUpperCase()) ?? -1
    return at < 0 ? Number(text) : field === 4 ? at + 1 : at
  }
  const inItem = (item: string, field: number, value: number): boolean => {
    const [low, high] = bounds[field] as [number, number]
    const [range = '', stepText] = item.split('/')
    const step = Number(stepText ?? 1)
    if (value < low || value > high) return false
    if (range === '*' || range === '?') return (value - low) % step === 0
    const [a = '', b] = range.split('-')
    const first = number(a, field)
    let last = b === undefined ? (stepText ? high : first) : number(b, field)
    if (field === 5 && last === 0 && first > 0) last = 7
    const candidates = field === 5 && value === 0 ? [0, 7] : [value]
    return candidates.some((v) => {
      if (first <= last) return v >= first && v <= last && (v - first) % step === 0
      const size = field === 5 ? 7 : high - low + 1
      const from = first % (field === 5 ? 7 : 10_000)
      const distance = (v - from + size) % size
      return distance <= (last - from + size) % size && distance % step === 0
    })
  }
  const plain = (field: number, value: number) =>
    (parts[field] as string).split(',').some((item) => inItem(item, field, value))
  const isWeekday = (date: Date) => date.getUTCDay() > 0 && date.getUTCDay() < 6
  const dayOfMonth = (date: Date): boolean =>
    (parts[3] as string).split(',').some((item) => {
      const [y, m, d] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
      const last = new Date(Date.UTC(y, m + 1, 0)).getUTCDate()
      const special = /^(?:L(?:-(\d+))?|(\d+))(W)?$/i.exec(item)
      if (!special || (special[2] && !special[3])) return inItem(item, 3, d)
      const target = special[2] ? Number(special[2]) : last - Number(special[1] ?? 0)
      if (target < 1 || target > last) return false
      if (!special[3]) return d === target
      // The nearest weekday in the month; on a tie (never two) the earlier.
      let best: number | undefined
      for (let day = 1; day <= last; day++) {
        if (!isWeekday(new Date(Date.UTC(y, m, day)))) continue
        if (best === undefined || Math.abs(day - target) < Math.abs(best - target)) best = day
      }
      return d === best
    })
  const dayOfWeek = (date: Date): boolean =>
    (parts[5] as string).split(',').some((item) => {
      const special = /^(\w+?)(?:#([1-5L])|L)$/i.exec(item)
      if (!special) return inItem(item, 5, date.getUTCDay())
      if (number(special[1] as string, 5) % 7 !== date.getUTCDay()) return false
      const nth = Math.ceil(date.getUTCDate() / 7)
      const weekLater = new Date(date.getTime() + 7 * 86_400_000)
      return /[1-5]/.test(special[2] ?? '')
        ? nth === Number(special[2])
        : weekLater.getUTCMonth() !== date.getUTCMonth()
    })
  const star = (field: number) => /^[*?]/.test(parts[field] as string)
  const matchesDay = (local: Date): boolean => {
    if (!plain(4, local.getUTCMonth() + 1) || !(parts[6] === '*' || plain(6, local.getUTCFullYear())))
      return false
    const dom = dayOfMonth(local)
    const dow = dayOfWeek(local)
    return star(3) || star(5) ? dom && dow : dom || dow
  }
  return {
    followsElapsedTime: [0, 1, 2].some((field) => (parts[field] as string).startsWith('*')),
    matchesDay,
    matches(local) {
      return (
        plain(0, local.getUTCSeconds()) &&
        plain(1, local.getUTCMinutes()) &&
        plain(2, local.getUTCHours()) &&
        matchesDay(local)
      )
    },
  }
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Local time minus UTC in ms, from Intl's parts. */
export function offsetOf(timeZone: string, instant: number): number {
  let format = formats.get(timeZone)
  if (!format) {
    const numeric = 'numeric' as const
    format = new Intl.DateTimeFormat('en', {
      timeZone,
      hourCycle: 'h23',
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    })
    formats.set(timeZone, format)
  }
  const part = Object.fromEntries(
    format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
  )
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) - instant
}

/** The offsets in [`from`, `to`], sampled at every step. */
export function sample(timeZone: string, from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) =>
    offsetOf(timeZone, from + i * step),
  )
}

/**
 * All instants after `from` on whole steps of `step` ms (a minute, or a second), by walking them one by one under
 * vixie's rules over sampled offsets. Slow, with nothing to get wrong.
 */
export function walk(expression: string, offsets: number[], from: number, step: number): number[] {
  const { matches, followsElapsedTime } = reference(expression)
  const found: number[] = []
  let before = offsets[0] as number
  // The latest local time the clocks have shown: what is not after it is a repetition.
  let shown = from + before
  for (const [i, offset] of offsets.entries()) {
    if (i === 0) continue
    const at = from + i * step
    const local = at + offset
    let due = matches(new Date(local)) && (followsElapsedTime || local > shown)
    const gap = offset - before
    if (!followsElapsedTime && gap > 0 && gap < 3 * 3_600_000) {
      for (let lost = local - gap; lost < local; lost += step) due ||= lost > shown && matches(new Date(lost))
    }
    if (due) found.push(at)
    shown = Math.max(shown, local)
    before = offset
  }
  return found
}
