import { EscapementError, show } from '../errors.ts'
import type { Trigger } from '../types/index.ts'
import { openCron } from './cron/cron.ts'

/** A trigger given to another trigger: itself, or made from a cron string. `what` names the taker. */
export function part(given: string | Trigger, what: string): Trigger {
  if (typeof given === 'string') return openCron(given)
  if (isTrigger(given)) return current(given, what)
  throw new EscapementError(
    'ERR_ESCAPEMENT_TRIGGER',
    `${what}: expected a cron expression or a trigger (an object with next(after)), got ${show(given)}`,
  )
}

/** `wildcard` was the name of `followsElapsedTime` before 0.2: without it the trigger would behave otherwise. */
function current(trigger: Trigger, what: string): Trigger {
  if (!('wildcard' in trigger) || trigger.followsElapsedTime !== undefined) return trigger
  throw new EscapementError('ERR_ESCAPEMENT_TRIGGER', `${what}: wildcard is called followsElapsedTime now`)
}

export function isTrigger(value: unknown): value is Trigger {
  return typeof value === 'object' && value !== null && typeof (value as Trigger).next === 'function'
}

/** The same for takers that pick among instants: a job that follows another has none. */
export function timedPart(given: string | Trigger, what: string): Trigger {
  const trigger = part(given, what)
  if (!trigger.follows) return trigger
  throw new EscapementError(
    'ERR_ESCAPEMENT_TRIGGER',
    `${what}: expected a trigger with instants of its own, got ${show(trigger.expression)}`,
  )
}
