import { type Run, toRecord } from '@escapement/core'
import { hasEnded } from '@escapement/core/plugin'
import { factsText, linesText, searchText } from '@escapement/sql-fleet'
import type { Value } from '../file/driver.ts'

/** A run as it is written, in the order of the columns of `runs`. */
export function toValues(run: Run, owner: string | null): Value[] {
  const record = toRecord(run)
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
    hasEnded(record.state) ? (record.endedAt?.getTime() ?? record.scheduledAt.getTime()) : null,
    record.until?.getTime() ?? null,
    errors.length > 0 ? JSON.stringify(errors) : null,
    record.traceId ?? null,
    record.fence ?? null,
    record.instance,
    owner,
    record.late,
    record.duration ?? null,
    factsText(record) ?? null,
    linesText(run.logLines) ?? null,
    searchText(record.job, record.error?.message),
  ]
}
