import type { Trigger } from '../interfaces.ts'
import type { Dst } from './cron/cron.ts'

/** What a scheduler gives to triggers that leave it open. */
export interface TriggerDefaults {
  /** IANA zone. Default: the zone of the process. */
  readonly timezone?: string | undefined
  readonly dst?: Dst | undefined
  /** Settles `H`. A scheduler gives the job's name. */
  readonly seed?: string | undefined
}

/** The method by which a trigger (or a calendar) takes defaults. Shared by all copies of the package. */
export const bind: unique symbol = Symbol.for('escapement.bind') as never

export interface Bindable<T = Trigger> {
  [bind](defaults: TriggerDefaults): T
}

/** The trigger or calendar with defaults filled in where it left something open. Itself if it left nothing. */
export function bound<T extends object>(value: T, defaults: TriggerDefaults): T {
  return bind in value ? (value as unknown as Bindable<T>)[bind](defaults) : value
}
