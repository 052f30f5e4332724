import type { AsyncResource } from 'node:async_hooks'
import type { Logger, Outcome, Run, RunRequest, Tick } from '../types/index.ts'
import type { AttemptTasks } from './attempt-tasks.ts'
import type { Failure } from './failure.ts'
import type { RunNotes } from './notes.ts'

/** Fields that few runs use. They are a second object, so that an ordinary run stays small. */
export class LazyFields {
  /** What the run was asked with. All others get the job's. */
  data: unknown = undefined
  /** The size of that in bytes; undefined when the run was not asked for. */
  bytes: number | undefined = undefined
  /** The request that it fulfils. */
  request: RunRequest | undefined = undefined
  /** The data of the request does not fit the job. */
  dataError: unknown = undefined
  /** Its end is another instance's to tell. */
  elsewhere = false
  /** The run of another job that this one follows. */
  parent: Run | undefined = undefined
  /** What the handler has said. */
  notes: RunNotes | undefined = undefined
  id: string | undefined = undefined
  tick: Tick | undefined = undefined
  log: Logger | undefined = undefined
  claimedIn: number | undefined = undefined
  traceparent: string | undefined = undefined
  traceUrl: string | undefined = undefined
  controller: AbortController | undefined = undefined
  /** Where the signal was first read. */
  context: AsyncResource | undefined = undefined
  /** The abort ends the whole run, not only the attempt. */
  over = false
  /** Its event `slow` was emitted. */
  slow = false
  tasks: AttemptTasks | undefined = undefined
  /** How the run will end, once that is decided. */
  ending: Ending | undefined = undefined
  /** Called when the run has ended. */
  waiters: (() => void)[] | undefined = undefined
  /** Ends its wait for its turn. */
  wake: ((passed: boolean) => void) | undefined = undefined
}

export interface Ending {
  readonly outcome: Outcome
  readonly result: unknown
  readonly failure: Failure | undefined
}
