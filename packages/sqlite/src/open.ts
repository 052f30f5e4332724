import { accessSync, closeSync, constants, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { EscapementError } from '@escapement/core'
import { connect, type Database } from './driver.ts'
import { isPath } from './identity.ts'
import { additions as ourAdditions, migrations as ours } from './schema.ts'

/** How long a statement waits for another process that writes, in ms. It blocks the event loop. */
const BUSY = 100
/** As BUSY while a program starts: ten processes may start at once. */
const BUSY_AT_START = 10_000

/**
 * Opens the file and brings it to the newest version; before a file with data is changed, it is copied to
 * `<file>.v<version>.bak`. Files that are made here can be read by their owner only (mode 0600): SQLite gives
 * `-wal` and `-shm` the mode of the file.
 *
 * @throws ERR_ESCAPEMENT_STORE when the file is newer than we know, or cannot be used
 */
export function open(
  file: string,
  {
    full = false,
    migrations = ours,
    additions = ourAdditions,
    busy = BUSY_AT_START,
  }: { full?: boolean; migrations?: readonly string[]; additions?: readonly string[]; busy?: number } = {},
): Database {
  let db: Database | undefined
  try {
    if (isPath(file)) make(file)
    db = connect(file)
    db.exec(`PRAGMA busy_timeout = ${busy}`)
    db.exec('PRAGMA journal_mode = WAL')
    db.exec(`PRAGMA synchronous = ${full ? 'FULL' : 'NORMAL'}`)
    migrate(db, file, migrations)
    add(db, additions)
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
  const before = version(db)
  if (before > migrations.length) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_STORE',
      `the file ${file} has version ${before}, but this program knows it up to version ${migrations.length} only: use a newer one`,
    )
  }
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
  db.exec('CREATE TABLE IF NOT EXISTS additions (step INTEGER PRIMARY KEY)')
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
