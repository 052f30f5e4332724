import { EscapementError, show } from '../errors.ts'
import type { Trigger, TriggerDefaults, TriggerSpec } from '../types/index.ts'
import { anyOf } from './any-of.ts'
import { boundCron, checkDefaults, isElapsed } from './cron/cron.ts'
import { isTrigger, part } from './nested.ts'
import { bound } from './with-defaults.ts'

/**
 * The trigger of a job, with a scheduler's defaults filled in where the spec leaves something open:
 * the zone and DST policy of cron expressions, and the job's name for `H`. The same string and defaults give
 * the same object.
 *
 * @throws `ERR_ESCAPEMENT_TRIGGER`, `ERR_ESCAPEMENT_OPTION`, and what the expression throws.
 */
export function toTrigger(spec: TriggerSpec, defaults: TriggerDefaults = {}): Trigger {
  checkDefaults(defaults, 'trigger option')
  return read(spec, defaults)
}

function read(spec: TriggerSpec, defaults: TriggerDefaults): Trigger {
  if (typeof spec === 'string') return boundCron(spec, defaults)
  if (Array.isArray(spec)) {
    if (spec.length === 0) {
      throw new EscapementError(
        'ERR_ESCAPEMENT_TRIGGER',
        'trigger: expected at least one, got an empty array',
      )
    }
    const parts = Array.from(spec as (string | Trigger)[], (one) => read(one, defaults))
    return parts.length === 1 ? (parts[0] as Trigger) : anyOf(...parts)
  }
  const trigger = bound(part(spec as Trigger, 'trigger'), defaults)
  if (isTrigger(trigger)) return trigger
  throw new EscapementError(
    'ERR_ESCAPEMENT_TRIGGER',
    `withDefaults() of a trigger must give a trigger, but gave ${show(trigger)}`,
  )
}

/** For previews: as a job would take it. Only `cron('@every …')` by itself still counts from the instant asked about. */
export function toPreview(spec: TriggerSpec, defaults: TriggerDefaults): Trigger {
  const trigger = toTrigger(spec, defaults)
  const settled = Object.values(defaults).every((value) => value === undefined)
  return settled && isElapsed(spec) ? spec : trigger
}
