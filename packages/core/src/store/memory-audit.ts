import type { AuditEntry, AuditStore } from '../types/index.ts'

/** The most entries that are kept. */
const MAX_ENTRIES = 10_000

/** The audit of this process. */
export function memoryAudit(): AuditStore {
  const entries: AuditEntry[] = []
  return {
    add(entry) {
      entries.push(entry)
      if (entries.length > MAX_ENTRIES) entries.shift()
    },
    list({ job, run, action, by, from = -Infinity, until = Infinity, before, limit = 100 }) {
      const found = entries.filter(
        (entry) =>
          (job === undefined || entry.job === job) &&
          (run === undefined || entry.run === run) &&
          (action === undefined || entry.action === action) &&
          (by === undefined || entry.by === by) &&
          (before === undefined || entry.id < before) &&
          entry.at.getTime() >= Number(from) &&
          entry.at.getTime() < Number(until),
      )
      return found.toReversed().slice(0, limit)
    },
  }
}
