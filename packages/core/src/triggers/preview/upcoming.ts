import type { Trigger, TriggerDefaults, TriggerSpec } from '../../types/index.ts'
import { checkKeys, fail, integer } from '../../util/validate.ts'
import { zoneOf } from '../cron/find-zone.ts'
import { dateMs, nextOf } from '../step.ts'
import { toPreview } from '../to-trigger.ts'
import { type Note, notes } from './notes.ts'

export interface UpcomingOptions extends TriggerDefaults {
  /** Strictly after this. Default: now. */
  readonly from?: Date | undefined
  /** The number of instants at most. Default 10, or no bound if there is `until`. */
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
 * The next instants of a schedule, as a job would have them, with notes where a change of the clocks skipped, shifted or doubled something.
 *
 * @throws `ERR_ESCAPEMENT_OPTION`, and what the spec throws; while it goes on, `ERR_ESCAPEMENT_TRIGGER` for a trigger
 * that gives no later Date.
 * @example
 * for (const { at, local, notes } of upcoming('30 2 * * *', { timezone: 'Europe/Berlin', count: 5 })) …
 */
export function upcoming(
  spec: TriggerSpec,
  options: UpcomingOptions = {},
): Generator<Upcoming, void, undefined> {
  checkKeys(options, { from: 1, count: 1, until: 1, timezone: 1, dst: 1, seed: 1 }, 'upcoming() option')
  const { from = new Date(), count, until, ...defaults } = options
  checkDate('from', from)
  if (until !== undefined) checkDate('until', until)
  if (count !== undefined) integer('count', count, 0)
  const most = count ?? (until ? Number.POSITIVE_INFINITY : 10)
  return walk(toPreview(spec, defaults), { from, most, until, timezone: defaults.timezone })
}

interface Walk {
  readonly from: Date
  /** Instants at most. */
  readonly most: number
  readonly until: Date | undefined
  readonly timezone: string | undefined
}

function* walk(
  trigger: Trigger,
  { from, most, until, timezone }: Walk,
): Generator<Upcoming, void, undefined> {
  let previous = from
  for (let i = 0; i < most; i++) {
    const at = nextOf(trigger, previous)
    if (!at || (until && at > until)) return
    yield {
      at,
      local: localTime(at, trigger, timezone),
      notes: notes(trigger, previous.getTime(), at.getTime()),
    }
    previous = at
  }
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function checkDate(option: string, given: unknown): void {
  if (dateMs(given) === undefined) fail(option, 'a valid Date', given)
}

/** An instant on the clocks of a trigger's zone: `2026-11-20T09:00:00+08:00`. */
export function localTime(at: Date, trigger: Trigger, timezone?: string): string {
  const offset = zoneOf(trigger.timezone, timezone).at(at.getTime()).offset
  const shown = new Date(at.getTime() + offset)
    .toISOString()
    .slice(0, -1)
    .replace(/\.000$/, '')
  const minutes = Math.floor(Math.abs(offset) / 60_000)
  const two = (n: number) => String(n).padStart(2, '0')
  const seconds = (Math.abs(offset) / 1000) % 60
  return `${shown}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}${seconds ? `:${two(seconds)}` : ''}`
}
