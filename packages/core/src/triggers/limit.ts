import { EscapementError, show } from '../errors.ts'
import type { Trigger } from '../interfaces.ts'
import { type AtOptions, type Instant, readInstant } from './at.ts'
import { type Bindable, bound, type TriggerDefaults } from './bind.ts'
import { findZone, systemZone } from './cron/find-zone.ts'
import { timedPart } from './part.ts'

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
 * @throws `ERR_ESCAPEMENT_TRIGGER`
 * @example
 * limit('0 9 * * *', 7, { from: '2026-12-01', timezone: 'Europe/Berlin' }) // the first week of December
 */
export function limit(trigger: string | Trigger, count: number, options: LimitOptions): Trigger {
  return new Limit(timedPart(trigger, 'limit'), count, options, {})
}

export class Limit implements Trigger, Bindable {
  readonly wildcard: boolean
  readonly expression: string
  readonly timezone?: string
  readonly inner: Trigger
  readonly count: number
  /** In ms. */
  readonly from: number
  readonly #options: LimitOptions
  #last: number | undefined

  constructor(inner: Trigger, count: number, options: LimitOptions, defaults: TriggerDefaults) {
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
    const zone = findZone(options.timezone ?? defaults.timezone ?? systemZone())
    this.inner = inner
    this.count = count
    this.from = readInstant(options.from, 'limit: from', zone)
    this.#options = options
    this.wildcard = inner.wildcard === true
    this.expression = `${inner.expression ?? 'custom'} limited to ${count} from ${new Date(this.from).toISOString()}`
    if (inner.timezone) this.timezone = inner.timezone
  }

  /** The last of the counted instants, in ms; before `from` if there is none. */
  get last(): number {
    this.#last ??= this.#count()
    return this.#last
  }

  next(after: Date): Date | undefined {
    const found = this.inner.next(after.getTime() < this.from ? new Date(this.from - 1) : after)
    return found && found.getTime() <= this.last ? found : undefined
  }

  withDefaults(defaults: TriggerDefaults): Trigger {
    return new Limit(bound(this.inner, defaults), this.count, this.#options, defaults)
  }

  #count(): number {
    let last = new Date(this.from - 1)
    for (let i = 0; i < this.count; i++) {
      const found = this.inner.next(last)
      if (!found) break
      last = found
    }
    return last.getTime()
  }
}
