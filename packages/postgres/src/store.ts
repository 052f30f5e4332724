import type {
  AuditStore,
  Enrolled,
  IncidentStore,
  JobState,
  JobStore,
  LogLine,
  RequestStore,
  Run,
  RunCounts,
  RunQuery,
  RunRecord,
  StatsQuery,
} from '@escapement/core'
import { timeOf, WATERMARK_AHEAD } from '@escapement/core/plugin'
import {
  forget,
  isKept,
  linesOf,
  moveStatements,
  type Rename,
  readStats,
  recordOf,
  renamesOf,
  type Sql,
  SqlRequests,
  type SqlStore,
  selectRuns,
  sqlAudit,
} from '@escapement/sql-fleet'
import type { Client } from './client.ts'
import { COMPACT, MOVE } from './counters.ts'
import type { Settings } from './options.ts'
import { SELECTED, toRow } from './rows.ts'
import { numbered } from './sql.ts'
import type { Writer } from './writer.ts'

// Ticks within a pause are not made up for, also if the pause ends while no instance lives.
const ENROLL = `
  WITH given AS (SELECT g.name, digest, body AS paused FROM json_to_recordset($1::json) AS g(name text, digest text)
      LEFT JOIN $.pauses p ON p.job = g.name),
    kept AS (SELECT j.* FROM $.jobs j JOIN given USING (name)),
    written AS (
      INSERT INTO $.jobs AS j (name, digest, decided, paused)
      SELECT name, digest, to_timestamp($2 / 1000.0), paused FROM given ORDER BY name
      ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, decided = excluded.decided
      WHERE j.digest <> excluded.digest OR j.paused IS NOT NULL
        OR j.decided > excluded.decided + interval '${WATERMARK_AHEAD} ms'
    )
  SELECT kept.name, kept.digest, kept.paused, (extract(epoch FROM kept.decided) * 1000)::float8 AS decided FROM kept`

/** How much longer than a tick may be caught up its claim is kept, in ms. */
const MARGIN = 3_600_000

export interface StoreParts {
  readonly client: Client
  readonly writer: Writer
  readonly sql: Sql
  readonly settings: Settings
  /** Names this process among its fleet. */
  readonly instance: () => string
  /** Names this life of the process; undefined when it is not started. */
  readonly owner: () => string | undefined
  readonly onFault: (error: unknown) => void
}

/** The history of runs and jobs. */
export class PostgresStore implements SqlStore {
  readonly incidents: IncidentStore
  readonly jobs: JobStore
  readonly requests: RequestStore
  readonly audit: AuditStore
  readonly #sql: Sql
  readonly #client: Client
  readonly #writer: Writer
  readonly #settings: Settings
  readonly #owner: () => string | undefined

  constructor({ client, writer, sql, settings, instance, owner, onFault }: StoreParts) {
    this.#client = client
    this.#writer = writer
    this.#settings = settings
    this.#owner = owner
    this.incidents = incidents(client)
    this.jobs = {
      enroll: (jobs, now) => this.#enroll(jobs, now),
      decided: (job, at) => writer.decided(job, at),
    }
    this.#sql = sql
    this.requests = new SqlRequests({
      sql,
      instance,
      owner,
      at: 'to_timestamp(? / 1000.0)',
      poll: settings.poll,
      flush: () => writer.flush(),
      onFault,
    })
    this.audit = sqlAudit(sql)
  }

  begin(run: Run): void {
    // If it cannot be written, its end reports the fault.
    this.#writer.add(toRow(run, this.#owner())).catch(() => {})
  }

  /** An attempt failed and another follows: a crash must not hide why. */
  retrying(run: Run): void {
    const row = toRow(run, this.#owner())
    this.#writer.add({ ...row, state: 'running' }).catch(() => {})
  }

  record(run: Run): void | Promise<void> {
    // The record of the instance that has it says more.
    if (run.reason === 'claimed-elsewhere') return
    return this.#writer.add(toRow(run, undefined))
  }

  /** What its handler has said: a crash must not take it. */
  update(run: Run): void {
    this.retrying(run)
  }

  async logs(run: string): Promise<LogLine[]> {
    await this.#writer.flush()
    const [row] = await this.#client.query('SELECT lines FROM $.runs WHERE id = $1', [run])
    return linesOf(row?.lines)
  }

  async runs(query: RunQuery = {}): Promise<RunRecord[]> {
    await this.#writer.flush()
    const { text, values } = selectRuns(SELECTED, 'strpos', query)
    const found = (await this.#sql.rows(text, ...values)).map(recordOf)
    return query.after === undefined ? found : found.reverse()
  }

  async stats(query: StatsQuery): Promise<RunCounts[]> {
    await this.#writer.flush()
    return readStats(this.#sql, query)
  }

  async forget(what: { readonly run: string } | { readonly job: string }): Promise<number> {
    await this.#writer.flush()
    return forget(this.#sql, what)
  }

  async newest(): Promise<number | undefined> {
    const [row] = await this.#client.query('SELECT max(id) AS id FROM $.runs')
    return row?.id ? timeOf(String(row.id)) : undefined
  }

  /** Removes claims that are older than is kept, by the earlier of two clocks. A tick may be caught up for `catchUpWindow` ms: its claim is kept for longer. */
  async prune(now: number, catchUpWindow: number): Promise<void> {
    const { claims } = this.#settings
    const [row] = await this.#client.query('SELECT (extract(epoch FROM now()) * 1000)::float8 AS now')
    const upTo = Math.min(now, Number(row?.now))
    const old = "DELETE FROM $.claims WHERE at < to_timestamp($1 / 1000.0) AND state <> 'run'"
    await this.#client.query(old, [upTo - Math.max(claims, catchUpWindow + MARGIN)])
  }

  async compact(before: number, limit: number): Promise<number> {
    const [row] = await this.#client.query(COMPACT, [before, limit])
    return Number(row?.hours ?? 0)
  }

  async #move(rename: Rename): Promise<void> {
    const kept = isKept(rename)
    if ((await this.#sql.rows(kept.text, ...kept.values)).length === 0) return
    await this.#client.patient(MOVE, [rename.from, rename.to])
    for (const { text, values } of moveStatements(rename))
      await this.#client.patient(numbered(text), [...values])
  }

  async #enroll(jobs: readonly Enrolled[], now: number): Promise<JobState[]> {
    await this.#writer.flush()
    for (const rename of renamesOf(jobs)) await this.#move(rename)
    const given = jobs.map(({ name, digest, paused }) => ({
      name,
      digest,
      paused: paused ? JSON.stringify(paused) : null,
    }))
    const rows = await this.#client.patient(ENROLL, [JSON.stringify(given), now])
    const kept = new Map(rows.map((row) => [String(row.name), row]))
    return jobs.map(({ name, digest }) => {
      const row = kept.get(name)
      return { decided: row?.digest === digest ? Math.round(Number(row.decided)) : undefined }
    })
  }
}

function incidents(client: Client): IncidentStore {
  return {
    async load(key) {
      const sql = 'SELECT body FROM $.incidents WHERE $1::text IS NULL OR key = $1'
      return (await client.query(sql, [key ?? null])).map(({ body }) => JSON.parse(String(body)))
    },
    async save(incident) {
      const { key, version } = incident
      const sql =
        version === 1
          ? 'INSERT INTO $.incidents (key, version, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING key'
          : 'UPDATE $.incidents SET version = $2, body = $3 WHERE key = $1 AND version = $2 - 1 RETURNING key'
      const body = JSON.stringify(incident).replaceAll('\\u0000', '\\ufffd')
      return (await client.query(sql, [key, version, body])).length > 0
    },
    async remove(key, version) {
      const sql = 'DELETE FROM $.incidents WHERE key = $1 AND version = $2 RETURNING key'
      return (await client.query(sql, [key, version])).length > 0
    },
  }
}
