import { show } from './errors.ts'
import type { ErrorRecord, Run, RunRecord } from './interfaces.ts'

/** What a record is made from. */
export type Recordable = Pick<Run, Exclude<keyof RunRecord, 'scheduledAt'> | 'tick' | 'outcome'>

/** A run as plain data, for stores. */
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
    error: error === undefined ? undefined : describe(error),
    errors: run.errors.slice(-10).map(describe),
    traceId: run.traceId,
    fence: run.fence,
    instance: run.instance,
  }
}

function describe(error: unknown): ErrorRecord {
  if (!(error instanceof Error))
    return { name: 'Error', message: show(error), code: undefined, stack: undefined }
  const { name, message, stack } = error
  const { code } = error as { code?: unknown }
  return { name, message, code: code === undefined ? undefined : String(code), stack }
}
