import {
  type AuditStore,
  type Enrolled,
  type IncidentStore,
  type JobState,
  type JobStore,
  type LogLine,
  type Maybe,
  type RequestStore,
  type Run,
  type RunCounts,
  type RunQuery,
  type RunRecord,
  type StatsQuery,
  toRecord,
} from '@escapement/core'
import { timeOf } from '@escapement/core/plugin'
import {
  factsText,
  forget,
  kindsOf,
  linesOf,
  linesText,
  readStats,
  recordOf,
  type Sql,
  SqlRequests,
  type SqlStore,
  selectRuns,
  sqlAudit,
} from '@escapement/sql-fleet'
import type { Value } from '../file/driver.ts'
import type { Prepared } from '../file/prepared.ts'
import type { Settings } from '../options.ts'
import type { Work } from '../writer/backlog.ts'
import { compact } from '../writer/counts.ts'
import { inFile } from '../writer/sql.ts'
import type { Writer } from '../writer/writer.ts'
import { enrollAll } from './enroll.ts'
import { incidents } from './incidents.ts'
import { toValues } from './rows.ts'
import { BEGIN, LAST, MERGE, RECORD, SELECTED } from './statements.ts'

/** How much longer than a tick may be caught up its claim is kept, in ms. */
const MARGIN = 3_600_000

export interface StoreParts {
  writer: Writer
  sql: Sql
  settings: Settings
  /** Names this process among its fleet. */
  instance: () => string
  /** Names this life of the process; undefined when it is not started. */
  owner: () => string | undefined
  onFault: (error: unknown) => void
  /** The end of a run came too late: it had been abandoned. */
  onRefused: (record: RunRecord) => void
}

/** The history of runs and jobs. */
export class SqliteStore implements SqlStore {
  readonly incidents: IncidentStore
  readonly jobs: JobStore
  readonly requests: RequestStore
  readonly audit: AuditStore
  readonly #parts: StoreParts
  /** Runs under way. */
  readonly #begun = new Map<string, { over: boolean }>()
  /** Watermarks that are not written yet. */
  #decided = new Map<string, number>()

  constructor(parts: StoreParts) {
    this.#parts = parts
    this.incidents = incidents(parts.writer)
    this.jobs = {
      enroll: (jobs, now) => this.#enroll(jobs, now),
      decided: (job, at) => this.#decide(job, at),
    }
    const { sql, instance, owner } = parts
    this.requests = new SqlRequests({
      sql,
      instance,
      owner,
      at: '?',
      poll: parts.settings.poll,
      flush: () => parts.writer.tryFlush(),
      onFault: parts.onFault,
    })
    this.audit = sqlAudit(sql)
  }

  begin(run: Run): void {
    const { owner } = this.#parts
    const values = toValues(run, owner() ?? null)
    const begun = { over: false }
    this.#begun.set(run.id, begun)
    // A run that ends before it is written needs no row of its beginning.
    // If that fails, the record of its end reports it.
    this.#write((db) => begun.over || db.run(BEGIN, ...values))?.catch(() => {})
  }

  /** An attempt failed and another follows: a crash must not hide why. */
  retrying(run: Run): void {
    const { id, attempt, errors } = toRecord(run)
    const sql = 'UPDATE runs SET attempt = ?, errors = ? WHERE id = ? AND ended IS NULL'
    const values = [attempt, JSON.stringify(errors), id]
    this.#write((db) => db.run(sql, ...values), sizeOf(values))?.catch(() => {})
  }

  /** What its handler has said: a crash must not take it. */
  update(run: Run): void {
    const values = [factsText(toRecord(run)) ?? null, linesText(run.logLines) ?? null, run.id]
    const sql = 'UPDATE runs SET facts = ?, lines = ? WHERE id = ? AND ended IS NULL'
    this.#write((db) => db.run(sql, ...values), sizeOf(values))?.catch(() => {})
  }

  record(run: Run): Maybe<void> {
    // The record of the instance that has it says more.
    if (run.reason === 'claimed-elsewhere') return
    const record = toRecord(run)
    const begun = this.#begun.get(run.id)
    if (begun) begun.over = record.state !== 'abandoned'
    this.#begun.delete(run.id)
    const values = toValues(run, null)
    return this.#write((db) => this.#record(db, record, values), sizeOf(values))
  }

  logs(run: string): LogLine[] {
    const { writer } = this.#parts
    writer.tryFlush()
    return linesOf(writer.db.get('SELECT lines FROM runs WHERE id = ?', run)?.lines)
  }

  runs(query: RunQuery = {}): RunRecord[] {
    const { writer } = this.#parts
    writer.tryFlush()
    const { text, values } = selectRuns(SELECTED, 'instr', query)
    const found = writer.db.all(inFile(text), ...values).map(recordOf)
    return query.after === undefined ? found : found.reverse()
  }

  async stats(query: StatsQuery): Promise<RunCounts[]> {
    this.#parts.writer.tryFlush()
    return readStats(this.#parts.sql, query)
  }

  async forget(what: { readonly run: string } | { readonly job: string }): Promise<number> {
    this.#parts.writer.tryFlush()
    return forget(this.#parts.sql, what)
  }

  newest(): number | undefined {
    const id = this.#parts.writer.db.get('SELECT max(id) AS id FROM runs')?.id
    return id ? timeOf(String(id)) : undefined
  }

  /** Removes claims that are older than is kept. A tick may be caught up for `catchUpWindow` ms: its claim is kept for longer. */
  prune(now: number, catchUpWindow: number): void {
    const { writer, settings } = this.#parts
    writer.later((db) => {
      db.run(
        "DELETE FROM claims WHERE at < ? AND state <> 'run'",
        now - Math.max(settings.claims, catchUpWindow + MARGIN),
      )
    })
  }

  async compact(before: number, limit: number): Promise<number> {
    let hours = 0
    await this.#parts.writer.write((db) => {
      hours = compact(db, before, limit)
    })
    return hours
  }

  #write(work: Work, bytes?: number): Promise<void> | undefined {
    const { writer, settings } = this.#parts
    if (settings.full) return writer.write(work)
    writer.later(work, bytes)
  }

  #record(db: Prepared, record: RunRecord, values: readonly Value[]): void {
    const { id, job, attempt, state } = record
    if (attempt === 0 && state !== 'abandoned' && (this.#merged(db, record) || this.#superfluous(db, record)))
      return
    if (this.#overtaken(db, record) || db.run(RECORD, ...values) === 0) {
      if (state !== 'abandoned') this.#parts.onRefused(record)
      return
    }
    this.#parts.writer.counts.add(id, job, kindsOf(record))
  }

  /** True when the newest record of the job stands for this tick, too. */
  #merged(db: Prepared, { id, job, state, reason, scheduledAt, endedAt }: RunRecord): boolean {
    if (state !== 'skipped') return false
    const last = db.get(LAST, job)
    if (last?.state !== state || last.reason !== reason) return false
    const at = scheduledAt.getTime()
    if (at <= Number(last.last)) return true
    db.run(MERGE, at, (endedAt ?? scheduledAt).getTime(), last.id as string)
    this.#parts.writer.counts.add(id, job, [state])
    return true
  }

  /** A tick that was not run here needs no record where there is one already. */
  #superfluous(db: Prepared, { key, id }: RunRecord): boolean {
    return db.get('SELECT 1 AS found FROM runs WHERE key = ? AND id <> ? LIMIT 1', key, id) !== undefined
  }

  /** A success does not count when the tick was given to another start under a higher fence. */
  #overtaken(db: Prepared, { key, fence, state }: RunRecord): boolean {
    if (fence === undefined || state !== 'succeeded') return false
    return db.get('SELECT 1 AS found FROM runs WHERE key = ? AND fence > ? LIMIT 1', key, fence) !== undefined
  }

  #decide(job: string, at: number): void {
    if (this.#decided.size === 0) {
      const decided = this.#decided
      this.#parts.writer.later((db) => {
        // A new one at the first try only: it may take several.
        if (this.#decided === decided) this.#decided = new Map()
        for (const [name, instant] of decided) {
          db.run('UPDATE jobs SET decided = max(coalesce(decided, 0), ?) WHERE name = ?', instant, name)
        }
      })
    }
    const known = this.#decided.get(job)
    if (known === undefined || at > known) this.#decided.set(job, at)
  }

  async #enroll(jobs: readonly Enrolled[], now: number): Promise<JobState[]> {
    let states: JobState[] = []
    this.#parts.writer.tryFlush()
    await this.#parts.writer.write((db) => {
      states = enrollAll(db, jobs, now)
    })
    return states
  }
}

/** The length of the texts of a row. */
function sizeOf(values: readonly Value[]): number {
  return values.reduce((sum: number, value) => (typeof value === 'string' ? sum + value.length : sum), 0)
}
