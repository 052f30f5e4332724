import { type Clock, detached, systemClock, type Timer } from '@escapement/core'
import { type Client, isRefused } from './client.ts'
import { COLUMNS, NAMES, type RunRow } from './rows.ts'

/** Records are written together after this time. */
const DELAY_MS = 20
/** Until another try when PostgreSQL cannot be reached. */
const RETRY_DELAY_MS = 1000
/** What waits at most for PostgreSQL to come back. */
const MAX_ROWS = 20_000
const MAX_BYTES = 64 * 1024 * 1024
/** Rows of one statement. */
const ROWS_OF_STATEMENT = 1000

const GIVEN = `WITH g AS (SELECT * FROM json_to_recordset($1::json) AS g(${COLUMNS}, ticks integer))`

// The end of a run counts only while nobody has ended it or taken its tick over under a higher fence.
const RAN = `
  ${GIVEN}
  INSERT INTO $.runs (${NAMES}) SELECT ${NAMES} FROM g
  WHERE g.state <> 'succeeded' OR NOT EXISTS (
    SELECT key, fence FROM $.runs o WHERE o.key = g.key AND o.fence > g.fence
    UNION ALL SELECT key, fence FROM g o WHERE o.key = g.key AND o.fence > g.fence
  )
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
    attempt = greatest(excluded.attempt, runs.attempt), ended = excluded.ended, late = excluded.late,
    instance = excluded.instance, fence = coalesce(excluded.fence, runs.fence), search = excluded.search,
    owner = coalesce(excluded.owner, runs.owner), input = CASE WHEN excluded.ended IS NULL THEN runs.input END,
    started = coalesce(excluded.started, runs.started), errors = coalesce(excluded.errors, runs.errors),
    trace = coalesce(excluded.trace, runs.trace), duration = excluded.duration,
    facts = coalesce(excluded.facts, runs.facts), lines = coalesce(excluded.lines, runs.lines)
  WHERE runs.ended IS NULL AND (runs.fence IS NOT DISTINCT FROM excluded.fence OR runs.state = 'due')
  RETURNING id`

// A tick that was not run here needs no record where there is one already. Ticks in a row that are skipped for one reason
// are one record. A statement has at most one row of a job. In order: no deadlocks.
const TOLD = `
  ${GIVEN}, last AS (
    SELECT g.id AS told, r.id, r.state, r.reason FROM g
    CROSS JOIN LATERAL (SELECT id, state, reason FROM $.runs o WHERE o.job = g.job ORDER BY id DESC LIMIT 1) r
    WHERE r.state = 'skipped' AND g.state = 'skipped' AND r.reason IS NOT DISTINCT FROM g.reason
  ), merged AS (
    UPDATE $.runs r SET until = coalesce(g.until, g.at), ended = g.ended, ticks = coalesce(r.ticks, 1) + coalesce(g.ticks, 1)
    FROM last JOIN g ON g.id = last.told
    WHERE r.id = last.id AND coalesce(r.until, r.at) < g.at
  )
  INSERT INTO $.runs (${NAMES}, ticks) SELECT ${NAMES}, ticks FROM g
  WHERE NOT EXISTS (SELECT 1 FROM last WHERE told = g.id)
    AND NOT EXISTS (SELECT 1 FROM $.runs o WHERE o.key = g.key AND o.id <> g.id)
  ORDER BY g.key
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason, ended = excluded.ended, input = NULL
    WHERE runs.ended IS NULL`

const DECIDED = `
  WITH g AS (SELECT name, to_timestamp(at / 1000.0) AS at FROM json_to_recordset($1::json) AS g(name text, at float8)),
    locked AS (
      SELECT j.name, g.at FROM $.jobs j JOIN g USING (name) WHERE j.decided < g.at ORDER BY j.name FOR UPDATE OF j
    )
  UPDATE $.jobs j SET decided = locked.at FROM locked WHERE j.name = locked.name AND j.decided < locked.at`

/** Writes what happened, in groups and without anybody waiting for it. */
export class Writer {
  clock: Clock = systemClock
  onError: (error: unknown) => void = () => {}
  /** The end of a run came too late: it had been abandoned. */
  onRefused: (row: RunRow) => void = () => {}
  readonly #client: Client
  #rows = new Map<string, RunRow>()
  /** What they keep in memory, about. */
  #bytes = 0
  #decided = new Map<string, number>()
  #timer: Timer | undefined
  #last: Promise<unknown> = Promise.resolve()
  /** Of the group that is being gathered. */
  #group: Promise<void> | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** Resolves when the row is written. */
  add(row: RunRow): Promise<void> {
    const before = this.#rows.get(row.id)
    const next = before ? merged(before, row) : row
    const bytes = this.#bytes + bytesOf(next) - (before ? bytesOf(before) : 0)
    if (!before && (this.#rows.size >= MAX_ROWS || bytes > MAX_BYTES))
      return Promise.reject(new Error('too many records wait for PostgreSQL: one was given up'))
    this.#rows.set(row.id, next)
    this.#bytes = bytes
    return this.#soon()
  }

  decided(job: string, at: number): void {
    const known = this.#decided.get(job)
    if (known !== undefined && at <= known) return
    this.#decided.set(job, at)
    this.#soon().catch(() => {})
  }

  /** Writes all that waits. Rejects when it cannot be written now; it then goes on waiting. */
  flush(): Promise<void> {
    if (this.#timer) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#group = undefined
    const done = this.#last.then(() => this.#write())
    this.#last = done.catch(() => {})
    return done
  }

  #soon(ms: number = DELAY_MS): Promise<void> {
    this.#group ??= new Promise((resolve, reject) => {
      // Told of within a run, maybe: what is written then is no part of its trace.
      this.#timer = detached(() => this.clock.setTimeout(() => this.flush().then(resolve, reject), ms))
      this.#timer.unref?.()
    })
    return this.#group
  }

  async #write(): Promise<void> {
    while (this.#rows.size > 0 || this.#decided.size > 0) {
      const rows = [...this.#rows.values()].slice(0, ROWS_OF_STATEMENT)
      for (const row of rows) {
        this.#rows.delete(row.id)
        this.#bytes -= bytesOf(row)
      }
      const decided = this.#decided
      this.#decided = new Map()
      try {
        await this.#send(rows)
        if (decided.size > 0) {
          const given = [...decided].map(([name, at]) => ({ name, at }))
          await this.#client.patient(DECIDED, [JSON.stringify(given)])
        }
      } catch (error) {
        this.#putBack(rows, decided)
        this.#soon(RETRY_DELAY_MS).catch(() => {})
        throw error
      }
    }
  }

  async #send(rows: RunRow[]): Promise<void> {
    const told = rows.filter(isTold)
    const ran = rows.filter((row) => !isTold(row))
    try {
      for (const round of roundsOf(told)) await this.#client.patient(TOLD, [JSON.stringify(round)])
      if (ran.length > 0) this.#look(ran, await this.#client.patient(RAN, [JSON.stringify(ran)]))
    } catch (error) {
      if (!isRefused(error)) throw error
      // One of them cannot be written: the others can.
      if (rows.length === 1) return this.onError(error)
      for (const row of rows) await this.#send([row])
    }
  }

  #look(rows: readonly RunRow[], written: { id?: unknown }[]): void {
    const ids = new Set(written.map(({ id }) => id))
    for (const row of rows) {
      if (!ids.has(row.id) && row.ended !== undefined && row.state !== 'abandoned') this.onRefused(row)
    }
  }

  #putBack(rows: readonly RunRow[], decided: ReadonlyMap<string, number>): void {
    const newer = this.#rows
    this.#rows = new Map(rows.map((row) => [row.id, row]))
    for (const [id, row] of newer) {
      const before = this.#rows.get(id)
      this.#rows.set(id, before ? merged(before, row) : row)
    }
    this.#bytes = [...this.#rows.values()].reduce((sum, row) => sum + bytesOf(row), 0)
    for (const [job, at] of decided) this.#decided.set(job, Math.max(at, this.#decided.get(job) ?? at))
  }
}

function bytesOf({ errors = '', facts = '', lines = '' }: RunRow): number {
  return 500 + errors.length + facts.length + lines.length
}

/** A run's beginning and end in one group, as if one had been written after the other: the first end counts. */
function merged(before: RunRow, row: RunRow): RunRow {
  if (before.ended !== undefined) return before
  return {
    ...row,
    attempt: Math.max(before.attempt, row.attempt),
    started: row.started ?? before.started,
    facts: row.facts ?? before.facts,
    lines: row.lines ?? before.lines,
    owner: before.owner,
  }
}

function isTold({ attempt, state }: RunRow): boolean {
  return attempt === 0 && (state === 'skipped' || state === 'missed')
}

/** Rows in groups in which each job is met once; ticks in a row that were skipped for one reason are one row. */
function roundsOf(rows: readonly RunRow[]): RunRow[][] {
  const jobs = new Map<string, (RunRow & { ticks?: number })[]>()
  for (const row of rows) {
    const before = jobs.get(row.job) ?? []
    jobs.set(row.job, before)
    const last = before.at(-1)
    const together = last?.state === 'skipped' && row.state === 'skipped' && last.reason === row.reason
    if (!last || !together || row.at <= (last.until ?? last.at)) before.push(row)
    else
      before[before.length - 1] = { ...last, until: row.at, ended: row.ended, ticks: (last.ticks ?? 1) + 1 }
  }
  const rounds: RunRow[][] = []
  for (const list of jobs.values()) {
    for (const [round, row] of list.entries()) {
      rounds[round] ??= []
      rounds[round].push(row)
    }
  }
  return rounds
}
