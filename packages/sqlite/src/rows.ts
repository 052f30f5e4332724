import type { RunRecord } from '@escapement/core'
import { hasEnded } from '@escapement/sql-fleet'
import type { Value } from './driver.ts'

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
    hasEnded(record.state) ? (record.endedAt?.getTime() ?? record.scheduledAt.getTime()) : null,
    record.until?.getTime() ?? null,
    errors.length > 0 ? JSON.stringify(errors) : null,
    record.traceId ?? null,
    record.fence ?? null,
    record.instance,
    owner,
  ]
}
