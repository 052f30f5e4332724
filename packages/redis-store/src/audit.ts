import type { AuditEntry, AuditQuery, AuditStore } from '@escapement/core'
import { firstId } from './rows.ts'
import { AUDIT } from './scripts/index.ts'
import type { Writer } from './writer.ts'

/** The most entries that are kept, and how many are looked at in one call. */
const MAX_ENTRIES = 20_000
const LOOKED = 500

/** The audit, in Redis. */
export function redisAudit(writer: Writer): AuditStore {
  return {
    async add(entry) {
      await writer.ask(AUDIT, ['add', entry.id, JSON.stringify(entry), MAX_ENTRIES])
    },
    async list(query) {
      const { from, until, before, limit = 100 } = query
      const lowest = from === undefined ? '-' : `[${firstId(Number(from))}`
      const upTo = [until === undefined ? undefined : firstId(Number(until)), before]
      const highest = upTo.filter((id) => id !== undefined).toSorted()[0]
      let newest = highest === undefined ? '+' : `(${highest}`
      const found: AuditEntry[] = []
      while (found.length < limit) {
        const texts = (await writer.ask(AUDIT, ['list', newest, lowest, LOOKED])) as string[]
        const entries = texts.map(entryOf)
        found.push(...entries.filter((entry) => matches(entry, query)))
        if (texts.length < LOOKED) break
        newest = `(${entries.at(-1)?.id}`
      }
      return found.slice(0, limit)
    },
  }
}

function matches(entry: AuditEntry, { job, run, action, by }: AuditQuery): boolean {
  if (job !== undefined && entry.job !== job) return false
  if (run !== undefined && entry.run !== run) return false
  return (action === undefined || entry.action === action) && (by === undefined || entry.by === by)
}

function entryOf(text: string): AuditEntry {
  const entry = JSON.parse(text) as AuditEntry
  return { ...entry, at: new Date(entry.at) }
}
