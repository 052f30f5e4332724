import { EscapementError } from '../errors.ts'
import type { Trigger, TriggerDefaults } from '../types/index.ts'
import { checkKeys } from '../util/validate.ts'
import { zoneOf } from './cron/find-zone.ts'
import { type Instant, isLocal, readInstant } from './instant.ts'
import { msOf } from './step.ts'
import type { Bindable } from './with-defaults.ts'

export interface AtOptions {
  /** The zone local times are read in. Default: the scheduler's, else the zone of the process. */
  readonly timezone?: string | undefined
}

/**
 * Once at an instant, or at several: `at([...])`. A local time lost in a DST gap is the first instant after it,
 * a repeated one is the first.
 *
 * @throws `ERR_ESCAPEMENT_TRIGGER`, `ERR_ESCAPEMENT_TIMEZONE`, `ERR_ESCAPEMENT_OPTION`
 * @example
 * at('2026-12-24T09:00:00Z')
 * at('2026-12-24 09:00', { timezone: 'Europe/Berlin' })
 */
export function at(when: Instant | readonly Instant[], options: AtOptions = {}): Trigger {
  checkKeys(options, { timezone: 1 }, 'at() option')
  return new At(Array.isArray(when) ? Array.from(when) : [when as Instant], options.timezone, undefined)
}

class At implements Trigger, Bindable {
  readonly expression: string
  readonly timezone?: string
  readonly #when: readonly Instant[]
  readonly #given: string | undefined
  readonly #instants: number[]

  constructor(when: readonly Instant[], given: string | undefined, fallback: string | undefined) {
    const zone = zoneOf(given, fallback)
    this.#when = when
    this.#given = given ?? fallback
    this.#instants = when.map((one) => readInstant(one, 'at', zone)).sort((a, b) => a - b)
    if (this.#instants.length === 0) {
      throw new EscapementError('ERR_ESCAPEMENT_TRIGGER', 'at: expected an instant, got none')
    }
    const rest = this.#instants.length > 1 ? ` and ${this.#instants.length - 1} more` : ''
    this.expression = `at ${new Date(this.#instants[0] as number).toISOString()}${rest}`
    if (when.some(isLocal)) this.timezone = zone.name
  }

  next(after: Date): Date | undefined {
    const ms = msOf(after)
    const found = this.#instants.find((instant) => instant > ms)
    return found === undefined ? undefined : new Date(found)
  }

  withDefaults({ timezone }: TriggerDefaults): Trigger {
    if (this.#given !== undefined || this.timezone === undefined) return this
    return new At(this.#when, undefined, timezone)
  }
}
