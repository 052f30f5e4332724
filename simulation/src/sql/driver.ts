import { createRequire } from 'node:module'
import type { Machine } from '../machine.ts'

/** A value that is bound to a statement. */
type Value = string | number | null

/** What `node:sqlite` and `libsql` have in common. */
export interface Driver {
  exec(sql: string): unknown
  prepare(sql: string): Record<'run' | 'get' | 'all', (...values: Value[]) => unknown>
  close(): void
}

/** The driver that the plugin would take. */
export function realDriver(): new (file: string) => Driver {
  const builtin = process.getBuiltinModule('node:sqlite' as 'node:fs') as unknown
  const native = (builtin as { DatabaseSync?: new (file: string) => Driver } | undefined)?.DatabaseSync
  return native ?? createRequire(import.meta.url)('libsql')
}

export interface ConnectionParts {
  readonly machine: Machine
  readonly real: Driver
  /** Before a statement is executed: throws what the disk says of it, or ends the process. */
  before(sql: string): void
  /** After a commit: may end the process. */
  committed(): void
}

/**
 * A real connection of a simulated process. SQLite waits for a lock in real time: here it does not, and the process gets
 * no processor for as long as it would have waited.
 */
export class Connection implements Driver {
  readonly #parts: ConnectionParts
  #patience = 0
  #open = true

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    parts.real.exec('PRAGMA busy_timeout = 0')
  }

  exec(sql: string): void {
    const patience = /^PRAGMA busy_timeout = (\d+)$/.exec(sql)
    if (patience) this.#patience = Number(patience[1])
    else this.#do(sql, () => this.#parts.real.exec(sql))
  }

  prepare(sql: string): ReturnType<Driver['prepare']> {
    const statement = this.#parts.real.prepare(sql)
    return {
      run: (...values) => this.#do(sql, () => statement.run(...values)),
      get: (...values) => this.#do(sql, () => statement.get(...values)),
      all: (...values) => this.#do(sql, () => statement.all(...values)),
    }
  }

  /** Also what the end of the process does: what was not committed is gone. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    release(this.#parts.real)
  }

  #do<T>(sql: string, act: () => T): T {
    const { machine, before, committed } = this.#parts
    if (!machine.alive) throw new Error('the process is gone')
    before(sql)
    try {
      const result = act()
      if (sql === 'COMMIT') committed()
      return result
    } catch (error) {
      if (/database is locked/.test(String(error))) machine.stall(this.#patience)
      throw error
    }
  }
}

/** Closes a connection. One with statements that are prepared would keep its transaction open. */
export function release(driver: Driver): void {
  try {
    driver.exec('ROLLBACK')
  } catch {
    // None was open.
  }
  driver.close()
}
