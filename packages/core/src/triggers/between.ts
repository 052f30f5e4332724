import { EscapementError, show } from '../errors.ts'
import type { Trigger, TriggerDefaults } from '../types/index.ts'
import { checkKeys } from '../util/validate.ts'
import type { AtOptions } from './at.ts'
import { zoneOf } from './cron/find-zone.ts'
import { type Instant, readInstant } from './instant.ts'
import { timedPart } from './nested.ts'
import { dateAt, msOf, nameOf, nextOf } from './step.ts'
import { type Bindable, bound } from './with-defaults.ts'

/**
 * The instants of a trigger from `start` (included) to `end` (not included). Leave one undefined for no bound.
 *
 * @throws `ERR_ESCAPEMENT_TRIGGER`, `ERR_ESCAPEMENT_TIMEZONE`, `ERR_ESCAPEMENT_OPTION`
 * @example
 * between('0 * * * *', '2026-12-01', '2026-12-24 12:00', { timezone: 'Europe/Berlin' })
 */
export function between(
  trigger: string | Trigger,
  start: Instant | undefined,
  end: Instant | undefined,
  options: AtOptions = {},
): Trigger {
  checkKeys(options, { timezone: 1 }, 'between() option')
  return new Between(timedPart(trigger, 'between'), [start, end], options.timezone)
}

export class Between implements Trigger, Bindable {
  readonly followsElapsedTime: boolean
  readonly expression: string
  readonly timezone?: string
  readonly inner: Trigger
  /** In ms; infinite if open. */
  readonly start: number
  readonly end: number
  readonly #bounds: readonly [Instant | undefined, Instant | undefined]
  readonly #timezone: string | undefined

  constructor(
    inner: Trigger,
    bounds: readonly [start: Instant | undefined, end: Instant | undefined],
    timezone?: string,
    fallback?: string,
  ) {
    const [start, end] = bounds
    const zone = zoneOf(timezone, fallback)
    this.inner = inner
    this.start = start === undefined ? Number.NEGATIVE_INFINITY : readInstant(start, 'between: start', zone)
    this.end = end === undefined ? Number.POSITIVE_INFINITY : readInstant(end, 'between: end', zone)
    this.#bounds = bounds
    this.#timezone = timezone ?? fallback
    if (!(this.start < this.end)) {
      throw new EscapementError(
        'ERR_ESCAPEMENT_TRIGGER',
        `between: the start (${show(start)}) must be before the end (${show(end)})`,
      )
    }
    this.followsElapsedTime = inner.followsElapsedTime === true
    const iso = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : '…')
    this.expression = `${nameOf(inner)} between ${iso(this.start)} and ${iso(this.end)}`
    if (inner.timezone) this.timezone = inner.timezone
  }

  next(after: Date): Date | undefined {
    const found = nextOf(this.inner, msOf(after) < this.start ? dateAt(this.start - 1) : after)
    return found && found.getTime() < this.end ? found : undefined
  }

  withDefaults(defaults: TriggerDefaults): Trigger {
    return new Between(bound(this.inner, defaults), this.#bounds, this.#timezone, defaults.timezone)
  }
}
