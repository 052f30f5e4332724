import type { Columns, Sql, SqlValue } from '@escapement/sql-fleet'
import type { Client } from './client.ts'

/** A schema, for statements that are the same in every database. */
export function sqlOf(client: () => Client): Sql {
  return {
    async rows(text: string, ...values: readonly SqlValue[]): Promise<readonly Columns[]> {
      return client().query(numbered(text), [...values])
    },
  }
}

/** With the places of values as PostgreSQL names them. */
export function numbered(text: string): string {
  let place = 0
  return text.replaceAll('?', () => `$${++place}`)
}
