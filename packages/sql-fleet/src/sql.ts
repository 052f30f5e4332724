/** A row as a driver reads it: times are ms, whatever their type. */
export type Columns = Readonly<Record<string, unknown>>

/** A database, as far as its SQL is the same everywhere. */
export interface Sql {
  /**
   * Runs one statement, a transaction of its own: `?` stands for a value, `$.` for the schema. Gives the rows of a `SELECT`
   * or of `RETURNING`.
   */
  rows(text: string, ...values: readonly SqlValue[]): Promise<readonly Columns[]>
}

export type SqlValue = string | number | null

/** A statement with its values. */
export interface Statement {
  readonly text: string
  readonly values: readonly SqlValue[]
}

/** What must be true of a row: the clauses whose values are given. */
export class Where {
  readonly values: SqlValue[] = []
  readonly #clauses: string[] = []

  add(clause: string, value: SqlValue | undefined): void {
    if (value !== undefined) this.all(clause, [value])
  }

  /** A clause with several values, or none. */
  all(clause: string, values: readonly SqlValue[]): void {
    this.#clauses.push(clause)
    this.values.push(...values)
  }

  get text(): string {
    return this.#clauses.length > 0 ? `WHERE ${this.#clauses.join(' AND ')}` : ''
  }
}

/** As many places as there are values: `?, ?, ?`. */
export function places(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}
