import { randomUUID } from 'node:crypto'
import type { Job, LogLine, Outcome, Run, RunFacts } from '@escapement/core'
import { NO_FACTS, tickId } from '@escapement/core/plugin'

/** What a run is made of that no scheduler has made. */
export interface FakeRun {
  job?: string
  /** The instant of its tick. Default now. */
  at?: Date | number
  /** How often the clock had been set back over the instant. */
  fold?: number
  id?: string
  cause?: Run['cause']
  outcome?: Outcome
  reason?: Run['reason']
  errors?: readonly unknown[]
  fence?: number
  restarts?: number
  until?: Date
  instance?: string
  traceId?: string
  onAbandoned?: 'record' | 'rerun'
  /** The facts that the history keeps of it. Default none. */
  facts?: Partial<RunFacts>
  /** What its handler has logged. */
  logLines?: readonly LogLine[]
  late?: number
  duration?: number
}

/**
 * A run for stores and locks to look at, without a scheduler. With an `outcome` it has ended, else it is
 * running.
 */
export function fakeRun(given: FakeRun = {}): Run {
  const { job = 'job', cause = 'schedule', outcome, reason, errors = [], restarts = 0, until } = given
  const scheduledAt = new Date(given.at ?? Date.now())
  const ran = outcome !== 'skipped' && outcome !== 'missed' && outcome !== 'abandoned'
  const id = given.id ?? timeOrderedId()
  const { fold = 0 } = given
  const tick = { id: tickId(job, scheduledAt.getTime(), fold), job, scheduledAt, fold }
  const run: Partial<Run> = {
    id,
    key: cause === 'manual' || cause === 'retry' ? id : tick.id,
    job: {
      name: job,
      running: 0,
      trigger: { next: () => undefined },
      policies: { onAbandoned: given.onAbandoned ?? 'record', overlap: 'skip' },
    } as unknown as Job,
    tick,
    cause,
    requested: cause === 'manual' || cause === 'retry',
    state: outcome ?? 'running',
    outcome,
    reason,
    attempt: ran ? Math.max(1, errors.length) : 0,
    restarts,
    errors,
    error: errors.at(-1),
    fence: given.fence,
    until,
    instance: given.instance ?? 'fake:1',
    traceId: given.traceId,
    startedAt: ran ? scheduledAt : undefined,
    endedAt: outcome ? new Date(scheduledAt.getTime() + 5) : undefined,
    duration: given.duration ?? 5,
    late: given.late ?? 0,
    facts: { ...NO_FACTS, logLines: given.logLines?.length ?? 0, ...given.facts },
    logLines: given.logLines ?? [],
  }
  return run as Run
}

let last = 0
let count = 0

/** UUID version 7 whose order is that of the calls, within a millisecond too. */
function timeOrderedId(): string {
  const now = Math.max(Date.now(), last)
  count = now === last ? count + 1 : 0
  last = now
  const time = now.toString(16).padStart(12, '0')
  const order = count.toString(16).padStart(3, '0').slice(-3)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${order}${randomUUID().slice(18)}`
}
