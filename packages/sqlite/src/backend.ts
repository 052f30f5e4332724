import type { Clock } from '@escapement/core'
import {
  abandonedOf,
  type Backend,
  type ClaimReply,
  type ClaimRequest,
  type ClaimRow,
  type ClosedRun,
  claimOf,
  type End,
  type OwnClaim,
  type Successor,
} from '@escapement/sql-fleet'
import type { Prepared } from './file/prepared.ts'
import type { Writer } from './writer/writer.ts'

const CLAIM = 'SELECT state FROM claims WHERE claims.key = runs.key AND claims.token = runs.id AND'
const LEFT_OPEN = `ended IS NULL AND owner IS NOT NULL AND owner NOT IN (SELECT owner FROM instances)
  AND NOT EXISTS (${CLAIM} state = 'run')`
const CLOSE_RUNS = `
  UPDATE runs SET ended = ?, state = coalesce((${CLAIM} state <> 'run'), 'abandoned')
  WHERE ${LEFT_OPEN} RETURNING *`
// The process died before it wrote that the run of a request had begun; its claim tells how it has ended.
const ENDED_UNSEEN = `state = 'due'
  AND EXISTS (${CLAIM} state <> 'run' AND claims.owner NOT IN (SELECT owner FROM instances))`
const CLOSE_REQUESTS = `
  UPDATE runs SET ended = ?, input = NULL, state = (${CLAIM} state <> 'run') WHERE ${ENDED_UNSEEN} RETURNING *`

/** The SQL of the processes that share a file. */
export class SqliteBackend implements Backend {
  readonly name = 'sqlite'
  readonly #writer: Writer
  readonly #clock: () => Clock
  readonly #lease: number
  /** The wall time of the last heartbeat, in ms; rises whatever the clock does. */
  #last = 0
  /** When each heartbeat was last seen to change, on our monotonic clock: no other clock is trusted. */
  #seen = new Map<string, { beat: number; since: number }>()

  constructor(writer: Writer, clock: () => Clock, lease: number) {
    this.#writer = writer
    this.#clock = clock
    this.#lease = lease
  }

  enlist(owner: string, _instance: string, before: string | undefined): Promise<void> {
    const beat = this.#next()
    return this.#writer.write((db) => {
      if (before !== undefined) db.run('DELETE FROM instances WHERE owner = ?', before)
      db.run('INSERT INTO instances (owner, beat) VALUES (?, ?)', owner, beat)
    })
  }

  heartbeat(owner: string): Promise<boolean> {
    const beat = this.#next()
    return this.#write((db) => db.run('UPDATE instances SET beat = ? WHERE owner = ?', beat, owner) > 0)
  }

  leave(owner: string): void {
    this.#writer.later((db) => db.run('DELETE FROM instances WHERE owner = ?', owner))
  }

  async declareDead(self: string | undefined): Promise<readonly string[]> {
    const dead = this.#dead(self)
    if (dead.length === 0) return []
    // Not one that has shown a sign of life since.
    const sql = 'DELETE FROM instances WHERE owner = ? AND beat = ? RETURNING facts'
    return this.#write((db) =>
      dead.flatMap(({ owner, beat }) => db.all(sql, owner, beat).flatMap(({ facts }) => nameOf(facts))),
    )
  }

  claim(requests: readonly ClaimRequest[]): Promise<readonly ClaimReply[]> {
    const now = this.#clock().now()
    return this.#write((db) => requests.map((request) => claim(db, request, now)))
  }

  complete(ends: readonly End[]): Promise<void> {
    const sql = "UPDATE claims SET state = ?, leased = 0 WHERE key = ? AND token = ? AND state = 'run'"
    // Committed at once: the others wait for the lease.
    return this.#writer.write((db) => {
      for (const { key, token, outcome } of ends) db.run(sql, outcome, key, token)
    })
  }

  handOver(key: string, token: string): Promise<void> {
    const sql = "UPDATE claims SET owner = '' WHERE key = ? AND token = ? AND state = 'run'"
    return this.#writer.write((db) => db.run(sql, key, token))
  }

  returnClaim(key: string, token: string): Promise<void> {
    const sql =
      "UPDATE claims SET owner = '', start = start - 1 WHERE key = ? AND token = ? AND state = 'run' AND owner <> ''"
    return this.#writer.write((db) => db.run(sql, key, token))
  }

  deleteClaims(claims: readonly OwnClaim[]): Promise<void> {
    const sql = "DELETE FROM claims WHERE owner = ? AND token = ? AND state = 'run' AND owner <> ''"
    return this.#writer.write((db) => {
      for (const { token, owner } of claims) db.run(sql, owner, token)
    })
  }

  claimsOf(owner: string): readonly ClaimRow[] {
    return this.#writer.db.all("SELECT * FROM claims WHERE state = 'run' AND owner = ?", owner).map(claimOf)
  }

  orphans(after: string, limit: number): readonly ClaimRow[] {
    const sql = `SELECT * FROM claims WHERE state = 'run' AND key > ? AND owner NOT IN (SELECT owner FROM instances)
      ORDER BY key LIMIT ?`
    return this.#writer.db.all(sql, after, limit).map(claimOf)
  }

  takeOver(orphan: ClaimRow, by: Successor): Promise<number | undefined> {
    const now = this.#clock().now()
    const sql = `UPDATE claims SET token = ?, start = start + 1, fence = ?, instance = ?, owner = ?
      WHERE key = ? AND token = ? AND state = 'run'`
    return this.#write((db) => {
      const fence = Math.max(db.nextFence(now), (orphan.fence ?? 0) + 1)
      if (db.run(sql, by.token, fence, by.instance, by.owner, orphan.key, orphan.token) === 0)
        return undefined
      this.#closeRun(db, orphan.token, now)
      return fence
    })
  }

  markAbandoned(orphans: readonly ClaimRow[], by: string): Promise<readonly string[]> {
    const now = this.#clock().now()
    const sql = `UPDATE claims SET state = 'abandoned', leased = 0, owner = ? WHERE key = ? AND token = ? AND state = 'run'`
    return this.#write((db) => {
      const won = orphans.filter(({ key, token }) => db.run(sql, by, key, token) > 0)
      for (const { token } of won) this.#closeRun(db, token, now)
      return won.map(({ key }) => key)
    })
  }

  markedBy(by: string, keys: readonly string[]): readonly string[] {
    const sql = "SELECT 1 FROM claims WHERE key = ? AND state = 'abandoned' AND owner = ?"
    return keys.filter((key) => this.#writer.db.get(sql, key, by))
  }

  async closeRuns(): Promise<readonly ClosedRun[]> {
    this.#writer.tryFlush()
    const open = (which: string) => this.#writer.db.get(`SELECT 1 AS found FROM runs WHERE ${which} LIMIT 1`)
    const close = [...(open(LEFT_OPEN) ? [CLOSE_RUNS] : []), ...(open(ENDED_UNSEEN) ? [CLOSE_REQUESTS] : [])]
    if (close.length === 0) return []
    const now = this.#clock().now()
    const closed = await this.#write((db) => {
      const rows = close.flatMap((sql) => db.all(sql, now))
      for (const row of rows) this.#writer.counts.add(String(row.id), String(row.job), [String(row.state)])
      return rows
    })
    return abandonedOf(closed)
  }

  /** The run that was under way is abandoned in the same moment: no other process reports it. */
  #closeRun(db: Prepared, id: string, now: number): void {
    const sql = "UPDATE runs SET state = 'abandoned', ended = ? WHERE id = ? AND ended IS NULL RETURNING job"
    for (const { job } of db.all(sql, now, id)) this.#writer.counts.add(id, String(job), ['abandoned'])
  }

  #next(): number {
    this.#last = Math.max(this.#last + 1, this.#clock().now())
    return this.#last
  }

  async #write<T>(work: (db: Prepared) => T): Promise<T> {
    let value: T | undefined
    await this.#writer.write((db) => {
      value = work(db)
    })
    return value as T
  }

  #dead(self: string | undefined): { owner: string; beat: number }[] {
    const clock = this.#clock()
    const now = clock.monotonic()
    const seen = new Map<string, { beat: number; since: number }>()
    for (const row of this.#writer.db.all('SELECT owner, beat FROM instances WHERE owner <> ?', self ?? '')) {
      const beat = Number(row.beat)
      const before = this.#seen.get(String(row.owner))
      // Met for the first time, and long without a sign of life by the wall clock: it need not be watched.
      const old = !before && clock.now() - beat > 2 * this.#lease
      const since = before?.beat === beat ? before.since : old ? -Infinity : now
      seen.set(String(row.owner), { beat, since })
    }
    this.#seen = seen
    return [...seen].flatMap(([owner, { beat, since }]) =>
      now - since >= this.#lease ? [{ owner, beat }] : [],
    )
  }
}

/** Takes a claim if nobody has it, and if it is leased, if nobody holds the job. */
function claim(db: Prepared, request: ClaimRequest, now: number): ClaimReply {
  const { key, job, at, trigger, token, leased, rerun, instance, owner } = request
  const fence = db.nextFence(now)
  const taken = db.run(
    `INSERT INTO claims (key, job, at, trigger, token, start, fence, state, leased, rerun, instance, owner)
     VALUES (?, ?, ?, ?, ?, 1, ?, 'run', ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ...[key, job, at, trigger, token, fence, leased ? 1 : 0, rerun ? 1 : 0, instance, owner],
  )
  if (taken > 0) return { fence }
  const same = db.get('SELECT instance FROM claims WHERE key = ?', key)
  if (same) return { reason: 'claimed-elsewhere', by: String(same.instance), dead: false }
  const holder = db.get(
    `SELECT instance, owner NOT IN (SELECT owner FROM instances) AS dead FROM claims WHERE job = ? AND leased = 1`,
    job,
  )
  return { reason: 'overlap', by: String(holder?.instance), dead: holder?.dead === 1 }
}

/** The name of an instance; none of one of the version before. */
function nameOf(facts: unknown): string[] {
  return facts === null ? [] : [String((JSON.parse(String(facts)) as { instance: string }).instance)]
}
