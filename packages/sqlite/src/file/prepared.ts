import type { Database, Row, Statement, Value } from './driver.ts'

/** A database that prepares each statement once, and counts the fence. */
export class Prepared {
  readonly #db: Database
  readonly #statements = new Map<string, Statement>()
  #fence: number | undefined

  constructor(db: Database) {
    this.#db = db
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /** Runs a statement; gives the number of rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  /**
   * A number higher than any before, within a transaction. Never below the time in µs, so that it rises over
   * the loss of the file as well.
   */
  nextFence(now: number): number {
    this.#fence ??= Number(this.get('SELECT value FROM fence')?.value ?? 0)
    this.#fence = Math.max(this.#fence + 1, Math.floor(now) * 1000)
    return this.#fence
  }

  commit(): void {
    if (this.#fence !== undefined) this.run('UPDATE fence SET value = ?', this.#fence)
    this.#fence = undefined
    this.exec('COMMIT')
  }

  rollback(): void {
    this.#fence = undefined
    try {
      this.exec('ROLLBACK')
    } catch {
      // It had not begun, or SQLite has rolled back by itself.
    }
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
