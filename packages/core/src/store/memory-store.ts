import { type Recordable, toRecord } from '../run/record.ts'
import type { Remembered } from '../run/runnable-job.ts'
import { RunSnapshot } from '../run/snapshot.ts'
import type {
  IncidentStore,
  LogLine,
  Outcome,
  Run,
  RunCounts,
  RunQuery,
  RunRecord,
  StatsQuery,
  Store,
} from '../types/index.ts'
import { checkKeys, integer } from '../util/validate.ts'
import { type Entry, Histories, History } from './histories.ts'
import { JobMemory } from './job-memory.ts'
import { matcher, timeOf } from './matching.ts'
import { memoryAudit } from './memory-audit.ts'
import { MemoryCounters } from './memory-counters.ts'

/**
 * Keeps the newest runs of a scheduler in memory, and counters of all: the default store. It forgets with the process, so
 * nothing is caught up from it. Each job keeps its share. Ticks that did not run (`skipped`, `missed`) are counted apart, up
 * to the same limit. All of it holds at most 64 MB.
 *
 * @param options `limit`: how many runs. Default 10,000.
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function memoryStore(options: { limit?: number } = {}): Store {
  checkKeys(options, { limit: 1 }, 'memoryStore() option')
  const kept = new MemoryHistory(integer('limit', options.limit ?? 10_000, 0, 1e7))
  const incidents = new Map<string, Incident>()
  return {
    incidents: memoryIncidents(incidents),
    audit: memoryAudit(),
    record: (run) => kept.record(run),
    runs: (query) => kept.runs(query),
    logs: (id) => kept.logs(id),
    stats: (query) => kept.stats(query),
    forget(what) {
      if ('job' in what) for (const [key, { job }] of incidents) if (job === what.job) incidents.delete(key)
      return kept.forget(what)
    },
  }
}

/** The most jobs that are not a scheduler's own whose names are remembered. */
const MAX_FOREIGN = 10_000

class MemoryHistory {
  readonly #ran: Histories
  readonly #notRun: Histories
  readonly #counters = new MemoryCounters()
  /** Of jobs that are not a scheduler's own, by name. */
  readonly #foreign = new Map<string, JobMemory>()

  constructor(limit: number) {
    this.#ran = new Histories(limit)
    this.#notRun = new Histories(limit)
  }

  record(run: Run): void {
    // It is in the history of who has it.
    if (run.reason === 'claimed-elsewhere') return
    const { outcome } = run
    if (outcome === undefined) return
    const memory = this.#memoryOf(run)
    this.#count(memory, run, outcome)
    if (outcome === 'skipped') {
      this.#skip(memory, run)
      return
    }
    memory.skipped = false
    if (outcome === 'missed') this.#addNotRun(memory, run)
    else this.#ran.add(memory, run)
  }

  runs(query: RunQuery = {}): RunRecord[] {
    const { job, before, after, limit = 100 } = query
    const matches = matcher(query)
    const found = [...this.#ran.all(), ...this.#notRun.all()].filter(
      ({ run }) =>
        (job === undefined || run.job.name === job) &&
        (before === undefined || run.id < before) &&
        (after === undefined || run.id > after) &&
        matches(run),
    )
    found.sort((a, b) => (a.run.id < b.run.id ? 1 : -1))
    const page = after === undefined ? found.slice(0, limit) : found.slice(Math.max(0, found.length - limit))
    return page.map(recordOf)
  }

  logs(id: string): LogLine[] {
    return [...(this.#ran.all().find(({ run }) => run.id === id)?.run.logLines ?? [])]
  }

  stats(query: StatsQuery): RunCounts[] {
    return this.#counters.stats(query)
  }

  forget(what: { readonly run: string } | { readonly job: string }): number {
    if ('job' in what) this.#counters.forget(what.job)
    const isMeant = (run: Recordable) => ('job' in what ? run.job.name === what.job : run.id === what.run)
    return this.#ran.forget(isMeant) + this.#notRun.forget(isMeant)
  }

  #memoryOf({ job }: Run): JobMemory {
    const holder = job as Partial<Remembered>
    const { memory } = holder
    if (memory instanceof JobMemory && memory.owner === this) return memory
    const made = this.#foreign.get(job.name) ?? new JobMemory(this)
    if ('memory' in holder) holder.memory = made
    else {
      if (this.#foreign.size >= MAX_FOREIGN) this.#foreign.clear()
      this.#foreign.set(job.name, made)
    }
    return made
  }

  #addNotRun(memory: JobMemory, run: Run): void {
    memory.notRun ??= new History()
    this.#notRun.add(memory.notRun, run)
  }

  /** Ticks in a row that are skipped for one reason are one record. */
  #skip(memory: JobMemory, run: Run): void {
    const last = memory.skipped ? memory.notRun?.newest : undefined
    const at = run.tick.scheduledAt.getTime()
    if (last?.run.outcome === 'skipped' && last.run.reason === run.reason && at > (last.until ?? 0)) {
      last.until = at
      last.count++
      return
    }
    this.#addNotRun(memory, run)
    memory.skipped = true
  }

  #count(memory: JobMemory, run: Run, outcome: Outcome): void {
    this.#counters.add(memory, {
      job: run.job.name,
      outcome,
      at: madeAt(run),
      duration: run.attempt > 0 ? run.duration : undefined,
      late: run.late,
    })
  }
}

/** When a run was made, in ms. Its id is not made for it. */
function madeAt(run: Run): number {
  return run instanceof RunSnapshot && run.givenId === undefined ? run.made : timeOf(run.id)
}

function recordOf({ run, until, count }: Entry): RunRecord {
  const record = toRecord(run)
  return count === 1 ? record : { ...record, until: new Date(until ?? 0), count }
}

type Incident = Parameters<IncidentStore['save']>[0] & { readonly job?: string }

function memoryIncidents(kept: Map<string, Incident>): IncidentStore {
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
