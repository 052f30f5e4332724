import type { Columns, Sql, SqlValue } from '@escapement/sql-fleet'
import type { Writer } from './writer.ts'

/** The file, for statements that are the same in every database. */
export function sqlOf(writer: Writer): Sql {
  return {
    async rows(text: string, ...values: readonly SqlValue[]): Promise<readonly Columns[]> {
      const sql = inFile(text)
      if (sql.startsWith('SELECT')) return writer.db.all(sql, ...values)
      let rows: readonly Columns[] = []
      await writer.write((db) => {
        if (sql.includes('RETURNING')) rows = db.all(sql, ...values)
        else db.run(sql, ...values)
      })
      return rows
    },
  }
}

/** A statement as the file takes it, which has no schema. */
export function inFile(text: string): string {
  return text.replaceAll('$.', '')
}
