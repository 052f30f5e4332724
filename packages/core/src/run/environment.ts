import type { Clock, Events, Logger, Maybe, Run } from '../types/index.ts'
import type { AbortGrace } from './abort-grace.ts'

/** What a run needs of its scheduler. */
export interface RunEnvironment {
  readonly instance: string
  readonly clock: Clock
  /** Where `run.log` writes. */
  readonly userLog: Logger
  readonly events: Pick<Events, 'emit'>
  readonly abortGrace: AbortGrace
  /** Leaves out of a text what must not be kept. Never throws. */
  readonly redact: (text: string) => string
  /** The handler of a run under way has said something that is kept. */
  noted(run: Run): void
  /** Wall time in ms. */
  now(): number
  /** Logs and emits a fault that did not end the run. */
  report(error: unknown, where: { source: string; run: Run }): void
  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal: AbortSignal): Promise<T>
}
