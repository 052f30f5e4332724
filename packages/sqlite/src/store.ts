import {
  type Enrolled,
  type IncidentStore,
  type JobState,
  type JobStore,
  type LogLine,
  type Maybe,
  type Run,
  type RunQuery,
  type RunRecord,
  type Store,
  toRecord,
} from '@escapement/core'
import { factsText, firstId, linesOf, linesText, type Pauses, recordOf, timeOf } from '@escapement/sql-fleet'
import type { Work } from './backlog.ts'
import type { Value } from './driver.ts'
import { enroll } from './enroll.ts'
import { incidents } from './incidents.ts'
import type { Settings } from './options.ts'
import type { Prepared } from './prepared.ts'
import { toValues } from './rows.ts'
import type { Writer } from './writer.ts'

const COLUMNS =
  'id, key, job, at, trigger, state, reason, attempt, start, started, ended, until, errors, trace, fence, instance, owner, late, duration, facts, lines'
// Not the lines: they are read when they are asked for.
const SELECTED = COLUMNS.replace(', lines', '')
const INSERT = `INSERT INTO runs (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, '?')})`
// The end of a run counts only while nobody has ended it or taken its tick over under a higher fence.
const RECORD = `${INSERT} ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
  attempt = max(excluded.attempt, attempt), ended = excluded.ended, errors = coalesce(excluded.errors, errors),
  trace = coalesce(excluded.trace, trace), started = coalesce(excluded.started, started),
  duration = excluded.duration, facts = coalesce(excluded.facts, facts),
  lines = coalesce(excluded.lines, lines)
  WHERE runs.ended IS NULL AND coalesce(runs.fence, 0) = coalesce(excluded.fence, 0)`
const BEGIN = `${INSERT} ON CONFLICT (id) DO NOTHING`

// What did not run is counted apart: the skips of a paused job do not remove its runs.
const TRIM = ['NOT IN', 'IN'].map((which) => {
  const kind = `job = ? AND state ${which} ('skipped', 'missed')`
  return `DELETE FROM runs WHERE ${kind} AND ended IS NOT NULL AND id <
    (SELECT id FROM runs WHERE ${kind} ORDER BY id DESC LIMIT 1 OFFSET ?)`
})

/** How much longer than a tick may be caught up its claim is kept, in ms. */
const MARGIN = 3_600_000

export interface StoreParts {
  writer: Writer
  pauses: Pauses
  settings: Settings
  /** Names this life of the process; undefined when it is not started. */
  owner: () => string | undefined
  /** The end of a run came too late: it had been abandoned. */
  onRefused: (record: RunRecord) => void
}

/** The history of runs and jobs. */
export class SqliteStore implements Store {
  readonly incidents: IncidentStore
  readonly jobs: JobStore
  readonly #parts: StoreParts
  /** Records of each job since its old ones were last removed. */
  readonly #grown = new Map<string, number>()
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
      pause: (job, paused) => parts.pauses.keep(job, paused),
    }
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
    const { job, outcome, state, key, before, limit = 100 } = query
    const clauses: string[] = []
    const values: Value[] = []
    const where = (clause: string, value: Value | undefined) => {
      if (value === undefined) return
      clauses.push(clause)
      values.push(value)
    }
    where('job = ?', job)
    for (const wanted of [outcome, state]) {
      if (wanted === undefined) continue
      const all = typeof wanted === 'string' ? [wanted] : wanted
      clauses.push(`state IN (${all.map(() => '?').join(', ')})`)
      values.push(...all)
    }
    where('key = ?', key)
    where('id < ?', before)
    const condition = clauses.length > 0 ? `WHERE ${clauses.join(' AND ')}` : ''
    const sql = `SELECT ${SELECTED} FROM runs ${condition} ORDER BY id DESC LIMIT ?`
    return writer.db.all(sql, ...values, limit).map(recordOf)
  }

  newest(): number | undefined {
    const id = this.#parts.writer.db.get('SELECT max(id) AS id FROM runs')?.id
    return id ? timeOf(String(id)) : undefined
  }

  /** Removes what is older than is kept. A tick may be caught up for `catchUpWindow` ms: its claim is kept for longer. */
  prune(now: number, catchUpWindow: number): void {
    const { writer, settings } = this.#parts
    writer.later((db) => {
      db.run('DELETE FROM runs WHERE id < ? AND ended IS NOT NULL', firstId(now - settings.age))
      db.run(
        "DELETE FROM claims WHERE at < ? AND state <> 'run'",
        now - Math.max(settings.claims, catchUpWindow + MARGIN),
      )
    })
  }

  #write(work: Work, bytes?: number): Promise<void> | undefined {
    const { writer, settings } = this.#parts
    if (settings.full) return writer.write(work)
    writer.later(work, bytes)
  }

  #record(db: Prepared, record: RunRecord, values: readonly Value[]): void {
    if (record.attempt === 0 && record.state !== 'abandoned' && this.#superfluous(db, record)) return
    if (this.#overtaken(db, record) || db.run(RECORD, ...values) === 0) {
      if (record.state !== 'abandoned') this.#parts.onRefused(record)
      return
    }
    const grown = (this.#grown.get(record.job) ?? 0) + 1
    const { runs } = this.#parts.settings
    this.#grown.set(record.job, grown)
    // Now and then, so that it costs little.
    if (grown < runs / 4) return
    this.#grown.delete(record.job)
    for (const sql of TRIM) db.run(sql, record.job, record.job, runs - 1)
  }

  /** A tick that was not run here needs no record where there is one already. */
  #superfluous(db: Prepared, { key }: RunRecord): boolean {
    return db.get('SELECT 1 AS found FROM runs WHERE key = ? LIMIT 1', key) !== undefined
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
      states = jobs.map((job) => enroll(db, job, now))
    })
    return states
  }
}

/** The length of the texts of a row. */
function sizeOf(values: readonly Value[]): number {
  return values.reduce((sum: number, value) => (typeof value === 'string' ? sum + value.length : sum), 0)
}
