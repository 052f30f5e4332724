import type { Maybe, Outcome, RunCounts, RunRecord, StatsQuery } from '@escapement/core'
import { classOf, timeOf } from '@escapement/core/plugin'
import type { Sql, SqlValue } from '../sql.ts'

const HOUR_MS = 3_600_000
export const DAY_MS: number = 24 * HOUR_MS
/** How long counters are kept by hour, and in all, in ms. */
const BY_HOUR_MS = 30 * DAY_MS
const KEPT_MS = 400 * DAY_MS
/** Hours that become days in one transaction, and transactions of one round. */
const BATCH = 1_000
const MAX_BATCHES = 10

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
  // Many are added for one answer.
  for (const kind in from) to[kind] = (to[kind] ?? 0) + (from[kind] as number)
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

/**
 * Old hours become days, and what is too old goes.
 *
 * @param compact Makes days of some hours that are older than this, in one transaction; how many there were.
 */
export async function pruneCounters(
  sql: Sql,
  now: number,
  compact: (before: number, limit: number) => Maybe<number>,
): Promise<void> {
  await sql.rows('DELETE FROM $.counters WHERE at < ?', now - KEPT_MS)
  const old = now - BY_HOUR_MS
  for (let batches = 0; batches < MAX_BATCHES; batches++) {
    if ((await compact(old - (old % DAY_MS), BATCH)) < BATCH) return
  }
}

/** What a row has counted. */
export function bodyOf(body: unknown): Body {
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
