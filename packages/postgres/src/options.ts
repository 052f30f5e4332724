import { type Duration, parseDuration } from '@escapement/core'
import { checkKeys, fail, withMethod } from '@escapement/core/plugin'
import {
  FLEET_OPTIONS,
  type FleetOptions,
  type FleetSettings,
  parseFleetOptions,
} from '@escapement/sql-fleet'
import type { PoolLike } from './client.ts'

export interface PostgresOptions extends FleetOptions {
  /** A pool of `pg`. It stays yours: it is not closed. */
  pool: PoolLike
  /** Where the tables are; made if it is not there. Fleets in different schemas do not see each other. Default `'escapement'`. */
  schema?: string
  /** How long an answer is waited for. Default 2 s, at most a quarter of `lease`. */
  timeout?: Duration
}

/** Options as they are used: checked, in milliseconds. */
export interface Settings extends FleetSettings {
  readonly pool: PoolLike
  readonly schema: string
  readonly timeout: number
}

const KNOWN = { ...FLEET_OPTIONS, pool: 1, schema: 1, timeout: 1 } satisfies Record<keyof PostgresOptions, 1>

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseOptions(options: PostgresOptions): Settings {
  checkKeys(options, KNOWN, 'postgres() option')
  const { schema = 'escapement' } = options
  const pool = withMethod('pool', options.pool, 'query')
  if (!pool) fail('pool', 'a pool of pg: new pg.Pool()', options.pool)
  checkSchemaName(schema)
  const settings = parseFleetOptions(options)
  const { lease } = settings
  return {
    ...settings,
    pool,
    schema,
    timeout: parseDuration(options.timeout ?? Math.min(2000, lease / 4), 'timeout', {
      min: 10,
      max: lease / 4,
    }),
  }
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function checkSchemaName(schema: unknown): void {
  if (typeof schema !== 'string' || !/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    fail('schema', '1 to 63 lower-case letters, digits and _', schema)
  }
}
