import type { AuditEntry, AuditQuery, AuditStore } from '@escapement/core'
import { type Sql, Where } from '../sql.ts'
import { firstId } from './rows.ts'

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
      const where = new Where()
      where.add('job = ?', job)
      where.add('run = ?', run)
      where.add('action = ?', action)
      where.add('author = ?', by)
      where.add('id >= ?', from === undefined ? undefined : firstId(Number(from)))
      where.add('id < ?', until === undefined ? undefined : firstId(Number(until)))
      where.add('id < ?', before)
      const text = `SELECT body FROM $.audit ${where.text} ORDER BY id DESC LIMIT ?`
      const rows = await sql.rows(text, ...where.values, limit)
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
