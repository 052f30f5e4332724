import type { AsyncResource } from 'node:async_hooks'
import type { Logger, Outcome, Run, Tick } from '../types/index.ts'
import type { Failure } from './active-run.ts'
import type { TaskGroup } from './task-group.ts'

/** What most runs never have. Apart from them, since what a run costs is mostly its size. */
export class Extras {
  /** What it was asked with. All others get the job's. */
  data: unknown = undefined
  /** The size of that in bytes; undefined when it was not asked for. */
  bytes: number | undefined = undefined
  /** Told when it has begun, is in line, or has ended: whoever asked for it waits for that. */
  answer: (() => void) | undefined = undefined
  /** The run of another job that lets this one go. */
  parent: Run | undefined = undefined
  tick: Tick | undefined = undefined
  log: Logger | undefined = undefined
  claimedIn: number | undefined = undefined
  traceparent: string | undefined = undefined
  traceUrl: string | undefined = undefined
  controller: AbortController | undefined = undefined
  /** Where the signal was first touched. */
  context: AsyncResource | undefined = undefined
  /** The abort ends the whole run, not only the attempt. */
  over = false
  slow = false
  groups: TaskGroup[] | undefined = undefined
  cleanups: (() => unknown)[] | undefined = undefined
  /** How it will end, once that is decided. */
  ending: { outcome: Outcome; result: unknown; failure: Failure | undefined } | undefined = undefined
  /** Told when the run has ended. */
  waiters: (() => void)[] | undefined = undefined
  /** Ends its wait for its turn. */
  wake: ((passed: boolean) => void) | undefined = undefined
}
