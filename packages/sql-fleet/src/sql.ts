import type { Columns } from './rows.ts'

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

/** As many places as there are values: `?, ?, ?`. */
export function places(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}
