import type {
  Cause,
  ErrorRecord,
  LogLine,
  Outcome,
  RunFacts,
  RunRecord,
  SkipReason,
  State,
} from '@escapement/core'
import { hasEnded, NO_FACTS } from '@escapement/core/plugin'
import type { ClaimRow, ClosedRun } from '../backend.ts'
import type { Columns } from '../sql.ts'

/** The record of a row. `start` counts from 1, as in the tables of the first version. */
export function recordOf(row: Columns): RunRecord {
  const errors = row.errors ? (JSON.parse(String(row.errors)) as ErrorRecord[]).map(whole) : []
  return {
    id: String(row.id),
    key: String(row.key),
    job: String(row.job),
    scheduledAt: new Date(Number(row.at)),
    cause: row.trigger as Cause,
    state: row.state as State,
    outcome: hasEnded(row.state as State) ? (row.state as Outcome) : undefined,
    reason: (row.reason as SkipReason | null) ?? undefined,
    attempt: Number(row.attempt),
    restarts: Number(row.start) - 1,
    startedAt: date(row.started),
    endedAt: date(row.ended),
    late: Number(row.late ?? 0),
    duration: row.duration === null || row.duration === undefined ? undefined : Number(row.duration),
    until: date(row.until),
    count: row.ticks === null || row.ticks === undefined ? undefined : Number(row.ticks),
    error: errors.at(-1),
    errors,
    traceId: row.trace === null ? undefined : String(row.trace),
    fence: row.fence === null ? undefined : Number(row.fence),
    instance: String(row.instance),
    ...factsOf(row.facts),
  }
}

/** The facts of a run as a text, as the history keeps them; undefined when there are none. */
export function factsText(record: RunRecord): string | undefined {
  const { data, result, progress, asked, parent, retryOf, logLines, cut } = record
  const facts = { data, result, progress, asked, parent, retryOf, cut, logLines: logLines || undefined }
  const text = JSON.stringify(facts)
  return text === '{}' ? undefined : text
}

function factsOf(text: unknown): RunFacts {
  if (!text) return NO_FACTS
  const facts: RunFacts = { ...NO_FACTS, ...JSON.parse(String(text)) }
  const { progress } = facts
  return { ...facts, progress: progress && { ...progress, at: new Date(progress.at) } }
}

/** The lines of a run as a text; undefined when there are none. */
export function linesText(lines: readonly LogLine[]): string | undefined {
  return lines.length === 0 ? undefined : JSON.stringify(lines)
}

/** The lines of such a text. */
export function linesOf(text: unknown): LogLine[] {
  if (!text) return []
  return (JSON.parse(String(text)) as LogLine[]).map((line) => ({ ...line, at: new Date(line.at) }))
}

/** The claim of a row of `claims`. */
export function claimOf(row: Columns): ClaimRow {
  return {
    key: String(row.key),
    job: String(row.job),
    at: Math.round(Number(row.at)),
    trigger: String(row.trigger),
    token: String(row.token),
    start: Number(row.start),
    fence: row.fence === null ? undefined : Number(row.fence),
    rerun: Boolean(row.rerun),
    instance: String(row.instance),
    owner: String(row.owner ?? ''),
  }
}

/** Of the rows that `closeRuns()` has written, the runs that nobody had ended. */
export function abandonedOf(rows: readonly Columns[]): ClosedRun[] {
  return rows
    .filter(({ state }) => state === 'abandoned')
    .map((row) => ({ ...claimOf(row), id: String(row.id), trigger: row.trigger as Cause }))
}

/** The line for the end of a run that came too late. */
export function refused({ key, state }: { key: string; state: string }): [fields: object, message: string] {
  return [{ tick: key, outcome: state }, `${key} had been abandoned: its end was not recorded`]
}

/** The lowest id a run can have that began at this instant: ids are ordered by time. */
export function firstId(at: number): string {
  const time = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}`
}

function date(value: unknown): Date | undefined {
  return value === null || value === undefined ? undefined : new Date(Math.round(Number(value)))
}

/** JSON leaves out what is undefined. */
function whole({ name, message, code, stack, causes }: ErrorRecord): ErrorRecord {
  return { name, message, code, stack, ...(causes && { causes: causes.map(whole) }) }
}
