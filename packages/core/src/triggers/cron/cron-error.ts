import { EscapementError, show } from '../../errors.ts'
import { nearest } from '../../util/nearest.ts'
import { type FieldRule, months, weekdays } from './fields.ts'

/** Where in an expression a problem stands. `at` is the index of `token` in the expression. */
export interface Place {
  readonly expression: string
  readonly rule: FieldRule
  readonly token: string
  readonly at: number
}

const allowed: Record<FieldRule['name'], string> = {
  second: '0–59, * , - / and H',
  minute: '0–59, * , - / and H',
  hour: '0–23, * , - / and H',
  'day-of-month': '1–31, * ? , - / H, L, L-3, LW, 15W',
  month: '1–12 or JAN–DEC, * , - / and H',
  'day-of-week': '0–7 or SUN–SAT (0 and 7 are Sunday), * ? , - / H, 5L, 5#3',
  year: '1970–2199, * , - /',
}

/** The error for one token: names the field, the token, its position, what is allowed, and a better idea. */
export function problem({ expression, rule, token, at }: Place, why: string, idea?: string): EscapementError {
  const where = token ? `${show(token)} at position ${at + 1}` : `nothing at position ${at + 1}`
  return new EscapementError(
    'ERR_ESCAPEMENT_CRON',
    `Cron expression ${show(expression)}: the ${rule.name} field has ${where}: ${why} ` +
      `(allowed: ${allowed[rule.name]})${didYouMean(idea)}`,
  )
}

/** The error for an expression as a whole. */
export function malformed(expression: unknown, why: string, idea?: string): EscapementError {
  return new EscapementError(
    'ERR_ESCAPEMENT_CRON',
    `Cron expression ${show(expression)}: ${why}${didYouMean(idea)}`,
  )
}

function didYouMean(idea: string | undefined): string {
  return idea === undefined ? '' : `; did you mean ${show(idea)}?`
}

/** The three-letter name that a longer or misspelt one stands for. */
export function nearestName(word: string, rule: FieldRule): string | undefined {
  const names = rule.names ?? []
  const start = word.slice(0, 3).toUpperCase()
  if (names.includes(start)) return start
  const close = nearest(word, names)
  if (close || rule.names) return close
  return undefined
}

/** The field a name belongs to, if it stands in the wrong one. */
export function homeOf(word: string): string | undefined {
  if (months.includes(word.toUpperCase())) return 'month'
  if (weekdays.includes(word.toUpperCase())) return 'day-of-week'
  return undefined
}
