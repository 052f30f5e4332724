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

/** A trigger (or calendar) that can leave its zone, DST policy or seed to the scheduler. */
export interface Bindable<T = Trigger> {
  withDefaults(defaults: TriggerDefaults): T
}

/** The trigger or calendar with defaults filled in where it left something open. Itself if it left nothing. */
export function bound<T extends object>(value: T, defaults: TriggerDefaults): T {
  const { withDefaults } = value as Partial<Bindable<T>>
  return typeof withDefaults === 'function' ? withDefaults.call(value, defaults) : value
}
