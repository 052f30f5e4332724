import { EscapementError, show } from '../errors.ts'
import type { Trigger, TriggerDefaults } from '../types/index.ts'
import { checkKeys } from '../util/validate.ts'
import type { AtOptions } from './at.ts'
import { zoneOf } from './cron/find-zone.ts'
import { type Instant, readInstant } from './instant.ts'
import { timedPart } from './nested.ts'
import { dateAt, msOf, nameOf, nextOf } from './step.ts'
import { type Bindable, bound } from './with-defaults.ts'

const MOST = 100_000

export interface LimitOptions extends AtOptions {
  /** Counting starts here; an instant exactly at `from` counts. */
  readonly from: Instant
}

/**
 * The first `count` instants of a trigger at or after `from`. The count does not depend on what has run: asked
 * again after a restart, or on another instance, the answer is the same.
 *
 * @param count 1 to 100,000.
 * @throws `ERR_ESCAPEMENT_TRIGGER`, `ERR_ESCAPEMENT_TIMEZONE`, `ERR_ESCAPEMENT_OPTION`
 * @example
 * limit('0 9 * * *', 7, { from: '2026-12-01', timezone: 'Europe/Berlin' }) // the first week of December
 */
export function limit(trigger: string | Trigger, count: number, options: LimitOptions): Trigger {
  if (options !== undefined) checkKeys(options, { from: 1, timezone: 1 }, 'limit() option')
  return new Limit(timedPart(trigger, 'limit'), count, options, undefined)
}

export class Limit implements Trigger, Bindable {
  readonly followsElapsedTime: boolean
  readonly expression: string
  readonly timezone?: string
  readonly inner: Trigger
  readonly count: number
  /** In ms. */
  readonly from: number
  readonly #options: LimitOptions
  #last: number | undefined

  constructor(inner: Trigger, count: number, options: LimitOptions, fallback: string | undefined) {
    if (!Number.isInteger(count) || count < 1 || count > MOST) {
      throw new EscapementError(
        'ERR_ESCAPEMENT_TRIGGER',
        `limit: expected a whole number from 1 to ${MOST}, got ${show(count)}`,
      )
    }
    if (options?.from === undefined) {
      throw new EscapementError(
        'ERR_ESCAPEMENT_TRIGGER',
        'limit: expected { from }, the instant counting starts at',
      )
    }
    const zone = zoneOf(options.timezone, fallback)
    this.inner = inner
    this.count = count
    this.from = readInstant(options.from, 'limit: from', zone)
    this.#options = { ...options, timezone: options.timezone ?? fallback }
    this.followsElapsedTime = inner.followsElapsedTime === true
    this.expression = `${nameOf(inner)} limited to ${count} from ${new Date(this.from).toISOString()}`
    if (inner.timezone) this.timezone = inner.timezone
  }

  /** The last of the counted instants, in ms; before `from` if there is none. */
  get last(): number {
    this.#last ??= this.#count()
    return this.#last
  }

  next(after: Date): Date | undefined {
    const found = nextOf(this.inner, msOf(after) < this.from ? dateAt(this.from - 1) : after)
    return found && found.getTime() <= this.last ? found : undefined
  }

  withDefaults(defaults: TriggerDefaults): Trigger {
    return new Limit(bound(this.inner, defaults), this.count, this.#options, defaults.timezone)
  }

  #count(): number {
    let last = dateAt(this.from - 1)
    for (let i = 0; i < this.count; i++) {
      const found = nextOf(this.inner, last)
      if (!found) break
      last = found
    }
    return last.getTime()
  }
}
