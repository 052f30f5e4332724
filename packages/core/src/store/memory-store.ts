import { toRecord } from '../run/record.ts'
import type { IncidentStore, RunQuery, RunRecord, Store } from '../types/index.ts'
import { checkKeys, integer } from '../util/validate.ts'
import { Histories } from './histories.ts'

/**
 * Keeps the newest runs of a scheduler in memory: the default store. It forgets with the process, so nothing
 * is caught up from it. Each job keeps its share. Ticks that did not run (`skipped`, `missed`) are counted apart, up
 * to the same limit.
 *
 * @param options `limit`: how many runs. Default 1,000.
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function memoryStore(options: { limit?: number } = {}): Store {
  checkKeys(options, { limit: 1 }, 'memoryStore option')
  const limit = integer('limit', options.limit ?? 1000, 0, 1e7)
  const ran = new Histories(limit)
  const notRun = new Histories(limit)
  let order = 0
  return {
    incidents: memoryIncidents(),
    record(run) {
      // It is in the history of who has it.
      if (run.reason === 'claimed-elsewhere') return
      const { outcome } = run
      const histories = outcome === 'skipped' || outcome === 'missed' ? notRun : ran
      histories.add(run, ++order)
    },
    runs({ job, outcome, state, key, before, limit: most = 100 }: RunQuery = {}) {
      const found: RunRecord[] = []
      let passed = before === undefined
      const entries = [...ran.of(job), ...notRun.of(job)].sort((a, b) => b.order - a.order)
      for (const { run } of entries) {
        if (found.length >= most) break
        if (!passed) {
          passed = run.id === before
          continue
        }
        if (outcome !== undefined && run.outcome !== outcome) continue
        if (state !== undefined && run.state !== state) continue
        if (key !== undefined && run.key !== key) continue
        found.push(toRecord(run))
      }
      return found
    },
    logs: (id) => [...(ran.of(undefined).find(({ run }) => run.id === id)?.run.logLines ?? [])],
  }
}

type Incident = Parameters<IncidentStore['save']>[0]

function memoryIncidents(): IncidentStore {
  const kept = new Map<string, Incident>()
  const versionOf = (key: string) => kept.get(key)?.version ?? 0
  return {
    load: (key) => [...kept.values()].filter((one) => key === undefined || one.key === key).map(copy),
    save(incident) {
      if (versionOf(incident.key) !== incident.version - 1) return false
      kept.set(incident.key, copy(incident))
      return true
    },
    remove: (key, version) => versionOf(key) === version && kept.delete(key),
  }
}

function copy<T>(value: T): T {
  return structuredClone(value)
}
