import { accessSync, closeSync, constants, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { EscapementError } from '@escapement/core'
import { requireSteps } from '@escapement/sql-fleet'
import { connect, type Database } from './driver.ts'
import { isPath } from './identity.ts'
import { ADDITIONS, additions as ourAdditions, migrations as ours } from './schema.ts'

/** How long a statement waits for another process that writes, in ms. It blocks the event loop. */
const BUSY = 100
/** As BUSY while a program starts: ten processes may start at once. */
const BUSY_AT_START = 10_000

interface OpenOptions {
  full?: boolean
  /** False: the file must be at the newest version already. */
  migrate?: boolean
  migrations?: readonly string[]
  additions?: readonly string[]
  busy?: number
}

/**
 * Opens the file and brings it to the newest version; before a file with data is changed, it is copied to
 * `<file>.v<version>.bak`. Files that are made here can be read by their owner only (mode 0600): SQLite gives
 * `-wal` and `-shm` the mode of the file.
 *
 * @throws ERR_ESCAPEMENT_STORE when the file is newer than we know, is older and must not be changed, or cannot be used
 */
export function open(
  file: string,
  {
    full = false,
    migrate: mayMigrate = true,
    migrations = ours,
    additions = ourAdditions,
    busy = BUSY_AT_START,
  }: OpenOptions = {},
): Database {
  let db: Database | undefined
  try {
    if (isPath(file)) make(file)
    db = connect(file)
    db.exec(`PRAGMA busy_timeout = ${busy}`)
    db.exec('PRAGMA journal_mode = WAL')
    db.exec(`PRAGMA synchronous = ${full ? 'FULL' : 'NORMAL'}`)
    if (mayMigrate) {
      migrate(db, file, migrations)
      add(db, additions)
    } else requireNewest(db, file, { migrations, additions })
    db.exec(`PRAGMA busy_timeout = ${BUSY}`)
    return db
  } catch (cause) {
    db?.close()
    if (cause instanceof EscapementError) throw cause
    const message = `the file ${file} cannot be opened: ${(cause as Error).message}`
    throw new EscapementError('ERR_ESCAPEMENT_STORE', message, { cause })
  }
}

/** Makes the folder and an empty file, unless they are there. */
function make(file: string): void {
  const folder = dirname(resolve(file))
  makeFolder(folder)
  if (kindOf(file) === 'folder') throw new Error('it is a folder: give the path of a file in it')
  try {
    // SQLite puts files beside it.
    accessSync(folder, constants.W_OK)
    touch(file)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    throw new Error(`nothing can be written in the folder ${folder} (${codeOf(error)})`, { cause: error })
  }
}

/** One level after the other: `mkdirSync` with `recursive` never ends where nothing can be made, as in /proc. */
function makeFolder(folder: string): void {
  const kind = kindOf(folder)
  if (kind === 'folder') return
  if (kind === 'file') throw new Error(`${folder} is a file: there is no folder of this name`)
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another process may have been faster.
    if (kindOf(folder) === 'folder') return
    throw new Error(`the folder ${folder} cannot be made (${codeOf(error)})`, { cause: error })
  }
}

function kindOf(path: string): 'folder' | 'file' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code
}

function touch(file: string): void {
  closeSync(openSync(file, 'wx', 0o600))
}

function migrate(db: Database, file: string, migrations: readonly string[]): void {
  const before = knownVersion(db, file, migrations)
  if (before === migrations.length) return
  if (before > 0 && isPath(file)) backUp(db, `${file}.v${before}.bak`)
  exclusively(db, () => {
    // Another process may have been faster.
    for (let at = version(db); at < migrations.length; at++) {
      db.exec(migrations[at] as string)
      db.exec(`PRAGMA user_version = ${at + 1}`)
    }
  })
}

function knownVersion(db: Database, file: string, migrations: readonly string[]): number {
  const before = version(db)
  if (before <= migrations.length) return before
  const message = `the file ${file} has version ${before}, but this program knows it up to version ${migrations.length} only: use a newer one`
  throw new EscapementError('ERR_ESCAPEMENT_STORE', message)
}

/** For a program that must not change the file. */
function requireNewest(
  db: Database,
  file: string,
  { migrations, additions }: Required<Pick<OpenOptions, 'migrations' | 'additions'>>,
): void {
  const before = knownVersion(db, file, migrations)
  const known = db.prepare("SELECT name FROM sqlite_master WHERE name = 'additions'").get()
  const taken = known ? stepsTaken(db) : 0
  const missing = [...migrations.slice(before), ...additions.slice(taken)]
  requireSteps(`the file ${file}`, missing, `npx escapement schema sqlite --sql --from ${before}.${taken}`)
}

/** Takes the steps that the version before does not notice. A file of a newer program may have more of them. */
function add(db: Database, additions: readonly string[]): void {
  if (added(db) >= additions.length) return
  exclusively(db, () => {
    // Another process may have been faster.
    for (let at = added(db); at < additions.length; at++) {
      db.exec(additions[at] as string)
      db.prepare('INSERT INTO additions VALUES (?)').run(at + 1)
    }
  })
}

function added(db: Database): number {
  db.exec(ADDITIONS)
  return stepsTaken(db)
}

function stepsTaken(db: Database): number {
  return Number((db.prepare('SELECT max(step) AS step FROM additions').get() as { step: unknown }).step ?? 0)
}

function exclusively(db: Database, work: () => void): void {
  db.exec('BEGIN EXCLUSIVE')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

function version(db: Database): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
}

function backUp(db: Database, copy: string): void {
  // One that is there is of an attempt that did not get to its end.
  rmSync(copy, { force: true })
  // SQLite writes into an empty file that is there.
  touch(copy)
  db.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`)
}
