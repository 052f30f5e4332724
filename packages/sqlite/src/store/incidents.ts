import type { IncidentStore } from '@escapement/core'
import type { Writer } from '../writer/writer.ts'

/** Where alerts keep their incidents. */
export function incidents(writer: Writer): IncidentStore {
  const rows = (key?: string) =>
    key === undefined
      ? writer.db.all('SELECT body FROM incidents')
      : writer.db.all('SELECT body FROM incidents WHERE key = ?', key)
  return {
    load: (key) => rows(key).map(({ body }) => JSON.parse(String(body))),
    async save(incident) {
      const { key, version } = incident
      const body = JSON.stringify(incident)
      let saved = false
      await writer.write((db) => {
        const sql =
          version === 1
            ? 'INSERT INTO incidents (version, body, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
            : 'UPDATE incidents SET version = ?, body = ? WHERE key = ? AND version = ?'
        const values = version === 1 ? [version, body, key] : [version, body, key, version - 1]
        saved = db.run(sql, ...values) > 0
      })
      return saved
    },
    async remove(key, version) {
      let removed = false
      await writer.write((db) => {
        removed = db.run('DELETE FROM incidents WHERE key = ? AND version = ?', key, version) > 0
      })
      return removed
    },
  }
}
