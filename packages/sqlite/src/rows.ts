import type { Cause, ErrorRecord, Outcome, RunRecord, SkipReason, State } from '@escapement/core'
import type { Row, Value } from './driver.ts'

/** A record in the order of the columns of `runs`. */
export function toValues(record: RunRecord, owner: string | null): Value[] {
  const { errors } = record
  return [
    record.id,
    record.key,
    record.job,
    record.scheduledAt.getTime(),
    record.cause,
    record.state,
    record.reason ?? null,
    record.attempt,
    record.restarts + 1,
    record.startedAt?.getTime() ?? null,
    OPEN.has(record.state) ? null : (record.endedAt?.getTime() ?? record.scheduledAt.getTime()),
    record.until?.getTime() ?? null,
    errors.length > 0 ? JSON.stringify(errors) : null,
    record.traceId ?? null,
    record.fence ?? null,
    record.instance,
    owner,
  ]
}

const OPEN: ReadonlySet<State> = new Set<State>(['due', 'claimed', 'running', 'waiting-retry'])

export function fromRow(row: Row): RunRecord {
  const errors = row.errors ? (JSON.parse(String(row.errors)) as ErrorRecord[]).map(whole) : []
  return {
    id: String(row.id),
    key: String(row.key),
    job: String(row.job),
    scheduledAt: new Date(Number(row.at)),
    cause: row.trigger as Cause,
    state: row.state as Outcome,
    reason: (row.reason as SkipReason | null) ?? undefined,
    attempt: Number(row.attempt),
    restarts: Number(row.start) - 1,
    startedAt: date(row.started),
    endedAt: date(row.ended),
    until: date(row.until),
    error: errors.at(-1),
    errors,
    traceId: row.trace === null ? undefined : String(row.trace),
    fence: row.fence === null ? undefined : Number(row.fence),
    instance: String(row.instance),
  }
}

function date(value: Value | undefined): Date | undefined {
  return value === null || value === undefined ? undefined : new Date(Number(value))
}

/** JSON leaves out what is undefined. */
function whole({ name, message, code, stack }: ErrorRecord): ErrorRecord {
  return { name, message, code, stack }
}
