import type { Outcome, RunCounts, RunRecord, StatsQuery } from '@escapement/core'
import { classOf } from '@escapement/core/plugin'
import { timeOf } from './rows.ts'
import type { Sql, SqlValue } from './sql.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** How long counters are kept by hour, and in all, in ms. */
const BY_HOUR_MS = 30 * DAY_MS
const KEPT_MS = 400 * DAY_MS
/** Rows that become days, or go, in one statement. */
const BATCH = 1_000

/** How often each kind was counted: an outcome, `d12` a duration of class 12, `l3` a lateness of class 3. */
export type Body = Record<string, number>

/** The hour in which a run was made, in ms. */
export function hourOf(id: string): number {
  const at = timeOf(id)
  return at - (at % HOUR_MS)
}

/** What is counted of a run that has ended. */
export function kindsOf({ outcome, attempt, duration, late }: RunRecord): string[] {
  if (outcome === undefined) return []
  if (attempt === 0 || duration === undefined) return [outcome]
  return [outcome, `d${classOf(duration)}`, `l${classOf(late)}`]
}

/** Adds counts to others. */
export function addCounts(to: Body, from: Body): Body {
  for (const [kind, count] of Object.entries(from)) to[kind] = (to[kind] ?? 0) + count
  return to
}

/** Reads counters. `job` is `''` in the rows of all jobs together. */
export async function readStats(sql: Sql, query: StatsQuery): Promise<RunCounts[]> {
  const { from, until, step = 'hour', job, perJob = false } = query
  const length = step === 'day' ? DAY_MS : HOUR_MS
  const first = Number(from) - (Number(from) % length)
  const values: SqlValue[] = [first, until === undefined ? Number.MAX_SAFE_INTEGER : Number(until)]
  const which = perJob && job === undefined ? "job <> ''" : 'job = ?'
  if (which === 'job = ?') values.push(job ?? '')
  const rows = await sql.rows(
    `SELECT job, at, body FROM $.counters WHERE at >= ? AND at < ? AND ${which} ORDER BY at, job`,
    ...values,
  )
  const found = new Map<string, { readonly at: number; readonly job: string; readonly body: Body }>()
  for (const row of rows) {
    const at = Number(row.at) - (Number(row.at) % length)
    const name = String(row.job)
    const key = `${at} ${name}`
    const sum = found.get(key) ?? { at, job: name, body: {} }
    found.set(key, sum)
    addCounts(sum.body, bodyOf(row.body))
  }
  return [...found.values()].map(countsOf)
}

/** Old hours become days, and what is too old goes. A row at a time is read and written: what is lost by a crash is a row. */
export async function compactCounters(sql: Sql, now: number): Promise<void> {
  await sql.rows('DELETE FROM $.counters WHERE at < ?', now - KEPT_MS)
  const old = now - BY_HOUR_MS
  const rows = await sql.rows(
    'SELECT job, at, body FROM $.counters WHERE day = 0 AND at < ? ORDER BY at, job LIMIT ?',
    old - (old % DAY_MS),
    BATCH,
  )
  const days = new Map<string, { job: string; at: number; body: Body; hours: number[] }>()
  for (const row of rows) {
    const [job, hour] = [String(row.job), Number(row.at)]
    const at = hour - (hour % DAY_MS)
    const day = days.get(`${at} ${job}`) ?? { job, at, body: {}, hours: [] }
    days.set(`${at} ${job}`, day)
    addCounts(day.body, bodyOf(row.body))
    day.hours.push(hour)
  }
  for (const day of days.values()) await toDay(sql, day)
}

async function toDay(
  sql: Sql,
  { job, at, body, hours }: { job: string; at: number; body: Body; hours: readonly number[] },
): Promise<void> {
  const [kept] = await sql.rows('SELECT body FROM $.counters WHERE job = ? AND day = 1 AND at = ?', job, at)
  // Another instance that does the same at the same time finds the hours gone.
  const gone = await sql.rows(
    `DELETE FROM $.counters WHERE job = ? AND day = 0 AND at IN (${hours.join(', ')}) RETURNING at`,
    job,
  )
  if (gone.length !== hours.length) return
  await sql.rows(
    'INSERT INTO $.counters (job, day, at, body) VALUES (?, 1, ?, ?) ON CONFLICT (job, day, at) DO UPDATE SET body = excluded.body',
    job,
    at,
    JSON.stringify(addCounts(bodyOf(kept?.body), body)),
  )
}

function bodyOf(body: unknown): Body {
  if (body === undefined || body === null) return {}
  return typeof body === 'string' ? (JSON.parse(body) as Body) : ({ ...(body as Body) } as Body)
}

function countsOf({ at, job, body }: { at: number; job: string; body: Body }): RunCounts {
  const outcomes: { [O in Outcome]?: number } = {}
  const durations: Record<number, number> = {}
  const lateness: Record<number, number> = {}
  for (const [kind, count] of Object.entries(body)) {
    const length = /^([dl])(\d+)$/.exec(kind)
    if (!length) outcomes[kind as Outcome] = count
    else (length[1] === 'd' ? durations : lateness)[Number(length[2])] = count
  }
  return { at: new Date(at), job: job === '' ? undefined : job, outcomes, durations, lateness }
}
