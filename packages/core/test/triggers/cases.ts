import { readFileSync } from 'node:fs'

export interface Case {
  id: string
  cat: string
  dialect: string | string[]
  expr: string
  tz: string
  from: string
  fires?: string[]
  ends?: boolean
  notAt?: string
  error?: boolean
  valid?: boolean
  never?: boolean
}

const file = new URL('../testdata/cron-cases.json', import.meta.url)
export const cases: Case[] = JSON.parse(readFileSync(file, 'utf8')).cases

/** What Escapement's dialect consists of; the file's `about` says so too. */
export const dialect: string[] = (
  'unix dst-vixie start-step wrap-range star-step-and lw-lowercase l-nw hash-l nickname-any-case ' +
  'q-day-fields-only no-long-names'
).split(' ')

/** A list of dialects holds if one of them is ours; `a+b` needs both. */
export function holds(of: string | string[], ours: string[] = dialect): boolean {
  return [of].flat().some((one) => one.split('+').every((name) => ours.includes(name)))
}
