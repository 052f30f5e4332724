import type { Trigger } from '../types/index.ts'
import { LAST, nextOf } from './step.ts'

/** A trigger that can answer in ms: two Dates less for every tick. */
export interface Numeric {
  /** As `next()`. Beyond the last Date when there is none. */
  instantAfter(after: number): number
}

/** As `trigger.next()`, in ms. @throws ERR_ESCAPEMENT_TRIGGER if the trigger gives anything else, or throws. */
export function instantAfter(trigger: Trigger, after: number): number | undefined {
  if (!('instantAfter' in trigger)) return nextOf(trigger, new Date(after))?.getTime()
  const at = (trigger as unknown as Numeric).instantAfter(after)
  return at <= LAST ? at : undefined
}

export function toDate(at: number): Date | undefined {
  return at <= LAST ? new Date(at) : undefined
}
