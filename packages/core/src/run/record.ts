import type { ErrorRecord, Run, RunFacts, RunRecord } from '../types/index.ts'
import { errorRecord } from '../util/describe.ts'

/** What a record is made from. */
export type Recordable = Pick<
  Run,
  | Exclude<keyof RunRecord, 'scheduledAt' | 'count' | keyof RunFacts>
  | 'tick'
  | 'outcome'
  | 'facts'
  | 'logLines'
> & { readonly errorRecords?: readonly ErrorRecord[] }

/** Errors of a run that are kept: the newest. */
export const MAX_ERRORS = 10

/** A run as plain data, for stores. Its errors are described, within the limits of `describe()`. */
export function toRecord(run: Recordable): RunRecord {
  const described = run.errorRecords ?? run.errors.slice(-MAX_ERRORS).map((error) => errorRecord(error))
  const errors = described.map((error) => ({ ...error }))
  return {
    id: run.id,
    key: run.key,
    job: run.job.name,
    scheduledAt: run.tick.scheduledAt,
    cause: run.cause,
    state: run.state,
    outcome: run.outcome,
    reason: run.reason,
    attempt: run.attempt,
    restarts: run.restarts,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    late: rounded(run.late),
    duration: run.endedAt && run.attempt > 0 ? rounded(run.duration) : undefined,
    until: run.until,
    count: undefined,
    error: errors.at(-1),
    errors,
    traceId: run.traceId,
    fence: run.fence,
    instance: run.instance,
    ...run.facts,
  }
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
