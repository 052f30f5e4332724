import { describe } from './describe.ts'
import type { ErrorRecord, Run, RunRecord } from './interfaces.ts'

/** What a record is made from. */
export type Recordable = Pick<Run, Exclude<keyof RunRecord, 'scheduledAt'> | 'tick' | 'outcome'>

/** The newest are kept. */
const MAX_ERRORS = 10

/** A run as plain data, for stores. Its errors are described, within the limits of `describe()`. */
export function toRecord(run: Recordable): RunRecord {
  const { error } = run
  return {
    id: run.id,
    key: run.key,
    job: run.job.name,
    scheduledAt: run.tick.scheduledAt,
    trigger: run.trigger,
    state: run.state,
    reason: run.reason,
    attempt: run.attempt,
    start: run.start,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    until: run.until,
    error: error === undefined ? undefined : errorRecord(error),
    errors: run.errors.slice(-MAX_ERRORS).map(errorRecord),
    traceId: run.traceId,
    fence: run.fence,
    instance: run.instance,
  }
}

/** Four fields: what lies behind it is told in logs and alerts. */
function errorRecord(thrown: unknown): ErrorRecord {
  const { name, message, code, stack } = describe(thrown)
  return { name, message, code, stack }
}
