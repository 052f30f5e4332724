import type { Run, RunRecord } from '../types/index.ts'
import { errorRecord } from '../util/describe.ts'

/** What a record is made from. */
export type Recordable = Pick<Run, Exclude<keyof RunRecord, 'scheduledAt'> | 'tick' | 'outcome'>

/** Errors of a run that are kept: the newest. */
export const MAX_ERRORS = 10

/** A run as plain data, for stores. Its errors are described, within the limits of `describe()`. */
export function toRecord(run: Recordable): RunRecord {
  const errors = run.errors.slice(-MAX_ERRORS).map((error) => ({ ...errorRecord(error) }))
  return {
    id: run.id,
    key: run.key,
    job: run.job.name,
    scheduledAt: run.tick.scheduledAt,
    cause: run.cause,
    state: run.state,
    reason: run.reason,
    attempt: run.attempt,
    restarts: run.restarts,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    until: run.until,
    error: errors.at(-1),
    errors,
    traceId: run.traceId,
    fence: run.fence,
    instance: run.instance,
  }
}
