import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkKeys, fail, oneOf } from '@escapement/core/plugin'
import {
  FLEET_OPTIONS,
  type FleetOptions,
  type FleetSettings,
  parseFleetOptions,
} from '@escapement/sql-fleet'
import { isPath } from './file/identity.ts'

export interface SqliteOptions extends FleetOptions {
  /** Path of the file; made if it is not there, with its folder. `':memory:'` for tests. */
  file: string
  /**
   * `'batched'`: written in groups; a killed process loses at most its last 20 ms of records, a power failure
   * at most the last heartbeat's time. `'full'`: each claim and each end is on the disk before it counts.
   * Default `'batched'`.
   */
  durability?: 'batched' | 'full'
}

/** Options as they are used: checked, in milliseconds. */
export interface Settings extends FleetSettings {
  readonly file: string
  readonly full: boolean
}

const KNOWN = { ...FLEET_OPTIONS, file: 1, durability: 1 } satisfies Record<keyof SqliteOptions, 1>

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 */
export function parseOptions(options: SqliteOptions): Settings {
  checkKeys(options, KNOWN, 'sqlite() option')
  const { file, durability = 'batched' } = options
  if (typeof file !== 'string' || file === '') fail('file', 'the path of a file', file)
  const path = pathOf(file)
  return {
    ...parseFleetOptions(options),
    // The process may change its working directory.
    file: isPath(path) ? resolve(path) : path,
    full: oneOf('durability', durability, ['batched', 'full']) === 'full',
  }
}

/** The path that is meant by a `file:` URI, unless it has parameters: what is a path is guarded as a file. */
function pathOf(file: string): string {
  if (!file.startsWith('file:') || /[?#]/.test(file)) return file
  try {
    return file.startsWith('file://') ? fileURLToPath(file) : decodeURIComponent(file.slice('file:'.length))
  } catch {
    return fail('file', 'the path of a file, or a file: URI of one on this machine', file)
  }
}
