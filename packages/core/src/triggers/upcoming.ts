import type { Trigger } from '../interfaces.ts'
import type { TriggerDefaults } from './bind.ts'
import { findZone, systemZone } from './cron/find-zone.ts'
import { type Note, notes } from './notes.ts'
import { type TriggerSpec, toPreview } from './to-trigger.ts'

export interface UpcomingOptions extends TriggerDefaults {
  /** Strictly after this. Default: now. */
  readonly from?: Date | undefined
  /** At most so many. Default 10, or no bound if there is `until`. */
  readonly count?: number | undefined
  /** Up to and including this. */
  readonly until?: Date | undefined
}

export interface Upcoming {
  readonly at: Date
  /** With the offset of the trigger's zone: `2026-11-20T09:00:00+08:00`. */
  readonly local: string
  /** What a change of the clocks has to do with it. Mostly empty. */
  readonly notes: readonly Note[]
}

/**
 * The next instants of a schedule, with notes where a change of the clocks skipped, shifted or doubled something.
 *
 * @example
 * for (const { at, local, notes } of upcoming('30 2 * * *', { timezone: 'Europe/Berlin', count: 5 })) …
 */
export function* upcoming(
  spec: TriggerSpec,
  { from = new Date(), count, until, ...defaults }: UpcomingOptions = {},
): Generator<Upcoming, void, undefined> {
  const trigger = toPreview(spec, defaults)
  const most = count ?? (until ? Number.POSITIVE_INFINITY : 10)
  let previous = from
  for (let i = 0; i < most; i++) {
    const at = trigger.next(previous)
    if (!at || (until && at > until)) return
    yield {
      at,
      local: localTime(at, trigger, defaults.timezone),
      notes: notes(trigger, previous.getTime(), at.getTime()),
    }
    previous = at
  }
}

/** An instant on the clocks of a trigger's zone: `2026-11-20T09:00:00+08:00`. */
export function localTime(at: Date, trigger: Trigger, timezone?: string): string {
  const offset = findZone(trigger.timezone ?? timezone ?? systemZone()).at(at.getTime()).offset
  const shown = new Date(at.getTime() + offset)
    .toISOString()
    .slice(0, -1)
    .replace(/\.000$/, '')
  const minutes = Math.floor(Math.abs(offset) / 60_000)
  const two = (n: number) => String(n).padStart(2, '0')
  const seconds = (Math.abs(offset) / 1000) % 60
  return `${shown}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}${seconds ? `:${two(seconds)}` : ''}`
}
