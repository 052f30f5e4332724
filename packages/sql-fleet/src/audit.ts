import type { AuditEntry, AuditQuery, AuditStore } from '@escapement/core'
import { firstId } from './rows.ts'
import type { Sql, SqlValue } from './sql.ts'

/** How long entries are kept, in ms. */
const KEPT_MS = 400 * 86_400_000

/** The audit, in a table. */
export function sqlAudit(sql: Sql): AuditStore {
  return {
    async add(entry) {
      const { id, job = null, run = null, action, by = null } = entry
      await sql.rows(
        'INSERT INTO $.audit (id, job, run, action, author, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
        ...[id, job, run, action, by, JSON.stringify(entry)],
      )
    },
    async list({ job, run, action, by, from, until, before, limit = 100 }: AuditQuery) {
      const clauses: string[] = []
      const values: SqlValue[] = []
      const where = (clause: string, value: SqlValue | undefined) => {
        if (value === undefined) return
        clauses.push(clause)
        values.push(value)
      }
      where('job = ?', job)
      where('run = ?', run)
      where('action = ?', action)
      where('author = ?', by)
      where('id >= ?', from === undefined ? undefined : firstId(Number(from)))
      where('id < ?', until === undefined ? undefined : firstId(Number(until)))
      where('id < ?', before)
      const condition = clauses.length > 0 ? `WHERE ${clauses.join(' AND ')}` : ''
      const rows = await sql.rows(
        `SELECT body FROM $.audit ${condition} ORDER BY id DESC LIMIT ?`,
        ...values,
        limit,
      )
      return rows.map(({ body }) => entryOf(String(body)))
    },
  }
}

/** Removes what is too old. */
export async function pruneAudit(sql: Sql, now: number): Promise<void> {
  await sql.rows('DELETE FROM $.audit WHERE id < ?', firstId(now - KEPT_MS))
}

function entryOf(body: string): AuditEntry {
  const entry = JSON.parse(body) as AuditEntry
  return { ...entry, at: new Date(entry.at) }
}
