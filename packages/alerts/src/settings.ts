import { parseDuration } from '@escapement/core'
import { integer } from '@escapement/core/plugin'
import { parseDelivery } from './message/delivery.ts'
import type { OutboxParts } from './message/outbox.ts'
import { parseThrottle } from './message/throttle.ts'
import type { AlertsOptions } from './types/options.ts'

/** What concerns no single incident: checked, in milliseconds. */
export interface GeneralSettings {
  readonly message: Pick<OutboxParts, 'delivery' | 'throttle'>
  /** Between two looks for ticks that nobody has started. */
  readonly watch: number
  /** How long a stop sends what is left. */
  readonly flush: number
  /** Incidents that are kept with their errors. */
  readonly details: number
}

/** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION */
export function parseGeneral(options: AlertsOptions): GeneralSettings {
  return {
    message: { delivery: parseDelivery(options), throttle: parseThrottle(options.throttle) },
    watch: parseDuration(options.watch ?? '15s', 'watch', { min: 100, max: 3_600_000 }),
    flush: parseDuration(options.flush ?? '10s', 'flush', { max: 10_000 }),
    details: integer('details', options.details ?? 1000, 0),
  }
}
