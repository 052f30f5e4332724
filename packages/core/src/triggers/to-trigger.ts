import { EscapementError } from '../errors.ts'
import type { Trigger } from '../interfaces.ts'
import { anyOf } from './any-of.ts'
import { bound, type TriggerDefaults } from './bind.ts'
import { boundCron } from './cron/cron.ts'
import { isTrigger, part } from './part.ts'

/** What a job takes: a cron expression, a trigger, or several of them. */
export type TriggerSpec = string | Trigger | readonly (string | Trigger)[]

/**
 * The trigger of a job, with a scheduler's defaults filled in where the spec leaves something open:
 * the zone and DST policy of cron expressions, and the job's name for `H`. The same string and defaults give
 * the same object.
 *
 * @throws `ERR_ESCAPEMENT_TRIGGER`, and what the expression throws.
 */
export function toTrigger(spec: TriggerSpec, defaults: TriggerDefaults = {}): Trigger {
  if (typeof spec === 'string') return boundCron(spec, defaults)
  if (Array.isArray(spec)) {
    if (spec.length === 0) {
      throw new EscapementError(
        'ERR_ESCAPEMENT_TRIGGER',
        'trigger: expected at least one, got an empty array',
      )
    }
    const parts = spec.map((one) => toTrigger(one as string | Trigger, defaults))
    return parts.length === 1 ? (parts[0] as Trigger) : anyOf(...parts)
  }
  return bound(part(spec as Trigger, 'trigger'), defaults)
}

/** For previews: a trigger stays as it is unless there is something to fill in; anything else is taken as a job would. */
export function toPreview(spec: TriggerSpec, defaults: TriggerDefaults): Trigger {
  const nothing = Object.values(defaults).every((value) => value === undefined)
  return nothing && isTrigger(spec) ? spec : toTrigger(spec, defaults)
}
