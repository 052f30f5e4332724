import type { Duration, Trigger } from '../types/index.ts'
import { formatDuration, wholeDuration } from '../util/duration.ts'
import { checkKeys, text } from '../util/validate.ts'
import { type Numeric, toDate } from './epoch-trigger.ts'
import { msOf } from './step.ts'

export interface EveryOptions {
  /** Moves the grid by this much. Default 0. */
  readonly phase?: Duration | undefined
  /** How it is shown. Default `every 90s`. */
  readonly expression?: string | undefined
}

/**
 * Elapsed time on a fixed grid: all multiples of `interval` since 1970-01-01T00:00Z, moved by `phase`.
 * Not aligned to the start of the process, so that all instances agree. Knows no zones and no DST.
 *
 * @param interval Whole milliseconds, at least 1.
 * @throws `ERR_ESCAPEMENT_DURATION`, `ERR_ESCAPEMENT_OPTION`
 * @example
 * every('90s')
 * every('1d', { phase: '6h' }) // 06:00 UTC
 */
export function every(interval: Duration, options: EveryOptions = {}): Trigger {
  checkKeys(options, { phase: 1, expression: 1 }, 'every() option')
  const { phase = 0 } = options
  const expression = text('expression', options.expression)
  const length = wholeDuration(interval, 'every', { min: 1 })
  const offset = wholeDuration(phase, 'phase', { min: Number.MIN_SAFE_INTEGER }) % length
  const shown = `every ${formatDuration(length)}${offset === 0 ? '' : ` + ${formatDuration(offset)}`}`
  return new Every(length, offset, expression ?? shown)
}

export class Every implements Trigger, Numeric {
  readonly followsElapsedTime = true
  readonly expression: string
  /** In ms. */
  readonly length: number
  readonly #offset: number

  constructor(length: number, offset: number, expression: string) {
    this.length = length
    this.#offset = offset
    this.expression = expression
  }

  next(after: Date): Date | undefined {
    return toDate(this.instantAfter(msOf(after)))
  }

  instantAfter(after: number): number {
    return (Math.floor((after - this.#offset) / this.length) + 1) * this.length + this.#offset
  }

  /** How far an instant is past the grid, in ms. */
  since(instant: Date): number {
    const past = (instant.getTime() - this.#offset) % this.length
    return past < 0 ? past + this.length : past
  }
}
