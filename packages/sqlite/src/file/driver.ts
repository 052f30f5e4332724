import { createRequire } from 'node:module'
import { EscapementError } from '@escapement/core'

/** What may be bound to a statement, and read from a column. */
export type Value = string | number | null

export type Row = Record<string, Value>

export interface Statement {
  run(...values: Value[]): { changes: number | bigint }
  get(...values: Value[]): unknown
  all(...values: Value[]): unknown[]
}

/** What `node:sqlite` and `libsql` have in common. */
export interface Database {
  exec(sql: string): unknown
  prepare(sql: string): Statement
  close(): void
}

type Constructor = new (file: string) => Database

/** `node:sqlite` where this Node has it, else the package `libsql`. */
export function connect(file: string): Database {
  const Native = nodeSqlite()
  return new (Native ?? libsql())(file)
}

function nodeSqlite(): Constructor | undefined {
  try {
    const builtin = process.getBuiltinModule('node:sqlite' as 'node:fs') as unknown
    return (builtin as { DatabaseSync?: Constructor } | undefined)?.DatabaseSync
  } catch {
    return undefined
  }
}

function libsql(): Constructor {
  try {
    return createRequire(import.meta.url)('libsql') as Constructor
  } catch (cause) {
    const message = `sqlite() needs the package libsql on this Node (${process.version}): npm install libsql`
    throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message, { cause })
  }
}

/** The file cannot be written now, whatever is written. */
export function isTrouble(error: unknown): boolean {
  const texts = /is full|disk I\/O|readonly|read-only|unable to open|malformed|not a database|out of memory/i
  return isBusy(error) || (error instanceof Error && texts.test(error.message))
}

/** Another process was writing for longer than we wait. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /database (table )?is (locked|busy)|SQLITE_BUSY/i.test(error.message)
}
