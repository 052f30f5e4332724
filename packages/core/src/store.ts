import { number } from './check.ts'
import type { Run, RunQuery, RunRecord, Store } from './interfaces.ts'
import { toRecord } from './run.ts'

/**
 * Keeps the newest runs of a scheduler in memory: the default store.
 *
 * @param limit How many. Default 1,000.
 */
export function memoryStore({ limit = 1000 }: { limit?: number } = {}): Store {
  number('limit', limit, 0, 1e7)
  const ring: Run[] = []
  let oldest = 0
  return {
    record(run) {
      if (ring.length < limit) ring.push(run)
      else if (limit > 0) {
        ring[oldest] = run
        oldest = (oldest + 1) % limit
      }
    },
    runs({ job, outcome, limit: most = 100 }: RunQuery = {}) {
      const found: RunRecord[] = []
      for (let i = ring.length - 1; i >= 0 && found.length < most; i--) {
        const run = ring[(oldest + i) % ring.length] as Run
        if (job !== undefined && run.job.name !== job) continue
        if (outcome !== undefined && run.outcome !== outcome) continue
        found.push(toRecord(run))
      }
      return found
    },
  }
}
