import type { Duration } from '../types/index.ts'
import { parseDuration } from '../util/duration.ts'
import { checkKeys, integer } from '../util/validate.ts'

/** What a durable history keeps, as its options say it. */
interface RetentionOptions {
  readonly runs?: number
  readonly age?: Duration
  readonly total?: number
  readonly failures?: { readonly age?: Duration; readonly runs?: number }
}

/** As it is used: checked, in milliseconds. */
export interface Retention {
  /** The newest runs of each job, however old. */
  readonly runs: number
  /** Beyond them all runs of this time, as far as the total goes. */
  readonly age: number
  readonly total: number
  /** For how long failures are kept, and how many of a job at most. */
  readonly failures: { readonly age: number; readonly runs: number }
}

const KNOWN: Readonly<Record<keyof RetentionOptions, 1>> = { runs: 1, age: 1, total: 1, failures: 1 }

/**
 * Checks the option `retention` and fills in the defaults.
 *
 * @param more Keys that a store has besides.
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseRetention(
  given: RetentionOptions = {},
  more: Readonly<Record<string, 1>> = {},
): Retention {
  checkKeys(given, { ...KNOWN, ...more }, 'retention option')
  const { runs = 100, age = '8d', total = 1_000_000, failures = {} } = given
  checkKeys(failures, { age: 1, runs: 1 }, 'retention.failures option')
  return {
    runs: integer('retention.runs', runs, 1, 1e7),
    age: parseDuration(age, 'retention.age', { min: 1000 }),
    total: integer('retention.total', total, 1, 1e9),
    failures: {
      age: parseDuration(failures.age ?? '90d', 'retention.failures.age', { min: 1000 }),
      runs: integer('retention.failures.runs', failures.runs ?? 1000, 1, 1e7),
    },
  }
}
