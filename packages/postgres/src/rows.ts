import { type Run, toRecord } from '@escapement/core'
import { hasEnded } from '@escapement/core/plugin'
import { factsText, linesText, searchText } from '@escapement/sql-fleet'

/** A run as it is sent: names and types are those of the columns. */
export interface RunRow {
  id: string
  key: string
  job: string
  at: string
  trigger: string
  state: string
  reason: string | undefined
  attempt: number
  start: number
  started: string | undefined
  ended: string | undefined
  until: string | undefined
  errors: string | undefined
  trace: string | undefined
  fence: number | undefined
  instance: string
  owner: string | undefined
  late: number
  duration: number | undefined
  facts: string | undefined
  lines: string | undefined
  search: string
}

/** For `json_to_recordset`. */
export const COLUMNS: string = `id text, key text, job text, at timestamptz, trigger text, state text, reason text,
  attempt integer, start integer, started timestamptz, ended timestamptz, until timestamptz, errors text,
  trace text, fence bigint, instance text, owner text, late float8, duration float8, facts text, lines text, search text`

/** Their names, in the same order. */
export const NAMES: string = COLUMNS.replaceAll(/ \w+(?=,|$)/g, '')

const MS = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8 AS ${column}`

/** Times as ms: they do not depend on how the pool reads timestamps. */
export const SELECTED: string = `id, key, job, ${MS('at')}, trigger, state, reason, attempt, start, ${MS('started')},
  ${MS('ended')}, ${MS('until')}, errors, trace, fence::text, instance, late, duration, facts, ticks`

export function toRow(run: Run, owner: string | undefined): RunRow {
  const record = toRecord(run)
  const { errors, scheduledAt, endedAt } = record
  return {
    id: record.id,
    key: record.key,
    job: record.job,
    at: scheduledAt.toISOString(),
    trigger: record.cause,
    state: record.state,
    reason: record.reason,
    attempt: record.attempt,
    start: record.restarts + 1,
    started: record.startedAt?.toISOString(),
    ended: hasEnded(record.state) ? (endedAt ?? scheduledAt).toISOString() : undefined,
    until: record.until?.toISOString(),
    errors: errors.length > 0 ? storable(JSON.stringify(errors)) : undefined,
    trace: record.traceId,
    fence: record.fence,
    instance: record.instance,
    owner,
    late: record.late,
    duration: record.duration,
    facts: storable(factsText(record)),
    lines: storable(linesText(run.logLines)),
    search: searchText(record.job, record.error?.message),
  }
}

/** PostgreSQL's text holds no NUL. */
function storable<T extends string | undefined>(json: T): T {
  return json?.replaceAll('\\u0000', '\\ufffd') as T
}
