import type { Trigger, TriggerDefaults } from '../types/index.ts'

/** A trigger (or calendar) that can leave its zone, DST policy or seed to the scheduler. */
export interface Bindable<T = Trigger> {
  withDefaults(defaults: TriggerDefaults): T
}

/** The trigger or calendar with defaults filled in where it left something open. Itself if it left nothing. */
export function bound<T extends object>(value: T, defaults: TriggerDefaults): T {
  const { withDefaults } = value as Partial<Bindable<T>>
  return typeof withDefaults === 'function' ? withDefaults.call(value, defaults) : value
}
