import { EscapementError } from '../errors.ts'
import type { Follow, Trigger, TriggerDefaults } from '../types/index.ts'
import { part } from './nested.ts'
import { msOf, nameOf, nextOf } from './step.ts'
import { type Bindable, bound } from './with-defaults.ts'

/**
 * Whenever any of its parts is due. An instant that several parts share comes once.
 *
 * @param parts Triggers or cron strings.
 * @throws `ERR_ESCAPEMENT_TRIGGER`, and what the strings throw.
 * @example
 * anyOf('0 9 * * MON-FRI', '0 11 * * SAT,SUN')
 */
export function anyOf(...parts: (string | Trigger)[]): Trigger {
  if (parts.length === 0)
    throw new EscapementError('ERR_ESCAPEMENT_TRIGGER', 'anyOf: expected triggers, got none')
  return new AnyOf(parts.map((one) => part(one, 'anyOf')))
}

export class AnyOf implements Trigger, Bindable {
  readonly followsElapsedTime: boolean
  readonly expression: string
  readonly timezone?: string
  readonly parts: readonly Trigger[]
  readonly follows?: readonly Follow[]

  constructor(parts: readonly Trigger[]) {
    this.parts = parts
    const follows = parts.flatMap((one) => one.follows ?? [])
    if (follows.length > 0) this.follows = follows
    this.followsElapsedTime = parts.every((one) => one.followsElapsedTime === true)
    this.expression = parts.map(nameOf).join(' | ')
    const timezone = parts.find((one) => one.timezone)?.timezone
    if (timezone && parts.every((one) => (one.timezone ?? timezone) === timezone)) this.timezone = timezone
  }

  next(after: Date): Date | undefined {
    msOf(after)
    let first: Date | undefined
    for (const one of this.parts) {
      const found = nextOf(one, after)
      if (found && !(first && first <= found)) first = found
    }
    return first
  }

  withDefaults(defaults: TriggerDefaults): Trigger {
    return new AnyOf(this.parts.map((one) => bound(one, defaults)))
  }
}
