import type { FleetEvent, FleetEventQuery } from '@escapement/core'
import type { Sql } from '../sql.ts'

/** How long events are kept, in ms. */
const KEPT_MS = 30 * 86_400_000

/** Keeps what has happened to an instance. */
export async function tellEvent(sql: Sql, { at, instance, kind, note }: FleetEvent): Promise<void> {
  const text = 'INSERT INTO $.fleet_events (at, instance, kind, note) VALUES (?, ?, ?, ?)'
  await sql.rows(text, at.getTime(), instance, kind, note ?? null)
}

export async function readEvents(
  sql: Sql,
  { from, until, limit = 100 }: FleetEventQuery,
): Promise<FleetEvent[]> {
  const rows = await sql.rows(
    'SELECT at, instance, kind, note FROM $.fleet_events WHERE at >= ? AND at < ? ORDER BY at DESC LIMIT ?',
    from === undefined ? 0 : Number(from),
    until === undefined ? Number.MAX_SAFE_INTEGER : Number(until),
    limit,
  )
  return rows.map(({ at, instance, kind, note }) => ({
    at: new Date(Number(at)),
    instance: String(instance),
    kind: kind as FleetEvent['kind'],
    ...(note !== null && { note: String(note) }),
  }))
}

/** Removes what is too old. */
export async function pruneEvents(sql: Sql, now: number): Promise<void> {
  await sql.rows('DELETE FROM $.fleet_events WHERE at < ?', now - KEPT_MS)
}
