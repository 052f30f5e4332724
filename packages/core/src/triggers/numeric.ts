import type { Trigger } from '../interfaces.ts'

/** The last instant a Date can hold, in ms. */
const END = 8.64e15

/** A trigger that can answer in ms: two Dates less for every tick. */
export interface Numeric {
  /** As `next()`. Beyond the last Date when there is none. */
  instantAfter(after: number): number
}

/** As `trigger.next()`, in ms. */
export function instantAfter(trigger: Trigger, after: number): number | undefined {
  if (!('instantAfter' in trigger)) return trigger.next(new Date(after))?.getTime()
  const at = (trigger as unknown as Numeric).instantAfter(after)
  return at <= END ? at : undefined
}

export function toDate(at: number): Date | undefined {
  return at <= END ? new Date(at) : undefined
}
