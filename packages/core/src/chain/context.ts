import type { Troubles } from '../log/trouble.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { Clock, Events, Logger, Run } from '../types/index.ts'

/** What the links need of the scheduler around them. */
export interface ChainContext {
  readonly clock: Clock
  readonly log: Logger
  readonly events: Events
  readonly troubles: Troubles
  /** Logs and emits a fault that did not end the run. */
  report(error: unknown, where: { source: string; run: Run }): void
  /** The run in flight that has this serial number. */
  inFlightRun(serial: number): ActiveRun | undefined
}
