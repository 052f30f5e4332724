import type { Row } from './driver.ts'
import type { Prepared } from './writer.ts'

/** What is asked for: a tick, a manual run, or (`job` begins with `MUTEX`) a named mutex. */
export interface Ask {
  key: string
  job: string
  at: number
  trigger: string
  token: string
  leased: boolean
  rerun: boolean
  instance: string
  owner: string
  now: number
}

/** A claim as it is kept. */
export interface Kept {
  key: string
  job: string
  at: number
  trigger: string
  token: string
  start: number
  fence: number
  rerun: boolean
  instance: string
}

export type Answer =
  | { fence: number }
  | { reason: 'claimed-elsewhere' | 'overlap'; by: string; dead: boolean }

/** Begins the `job` of a mutex: no name of a job holds a control character. */
export const MUTEX = '\u0001'

/** Takes a claim if nobody has it, and if it is leased, if nobody holds the job. */
export function claim(db: Prepared, ask: Ask): Answer {
  const fence = db.nextFence(ask.now)
  const { key, job, at, trigger, token, leased, rerun, instance, owner } = ask
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

/** Writes the end of a run, if the claim is still its own. */
export function finish(db: Prepared, key: string, token: string, outcome: string): void {
  db.run('UPDATE claims SET state = ?, leased = 0 WHERE key = ? AND token = ?', outcome, key, token)
}

/** Leaves a claim to be taken over at once. */
export function release(db: Prepared, key: string, token: string): void {
  db.run("UPDATE claims SET owner = '' WHERE key = ? AND token = ? AND state = 'run'", key, token)
}

/** Leaves a claim as if it had not been taken over: its new run could not begin here. */
export function undo(db: Prepared, key: string, token: string): void {
  const sql = "UPDATE claims SET owner = '', start = start - 1 WHERE key = ? AND token = ? AND state = 'run'"
  db.run(sql, key, token)
}

export function forget(db: Prepared, key: string, token: string): void {
  db.run('DELETE FROM claims WHERE key = ? AND token = ?', key, token)
}

/** Claims whose process is dead. */
export function orphans(db: Prepared): Kept[] {
  const sql =
    "SELECT * FROM claims WHERE state = 'run' AND owner NOT IN (SELECT owner FROM instances) LIMIT 1000"
  return db.all(sql).map(fromRow)
}

/** Gives an orphan to a new start. Undefined when somebody else was faster. */
export function takeOver(
  db: Prepared,
  orphan: Kept,
  by: Pick<Ask, 'token' | 'instance' | 'owner' | 'now'>,
): number | undefined {
  const fence = Math.max(db.nextFence(by.now), orphan.fence + 1)
  const taken = db.run(
    "UPDATE claims SET token = ?, start = start + 1, fence = ?, instance = ?, owner = ? WHERE key = ? AND token = ? AND state = 'run'",
    ...[by.token, fence, by.instance, by.owner, orphan.key, orphan.token],
  )
  if (taken === 0) return undefined
  close(db, orphan.token, by.now)
  return fence
}

/** Ends an orphan. False when somebody else was faster. */
export function bury(db: Prepared, { key, token }: Kept, now: number): boolean {
  const sql =
    "UPDATE claims SET state = 'abandoned', leased = 0 WHERE key = ? AND token = ? AND state = 'run'"
  if (db.run(sql, key, token) === 0) return false
  close(db, token, now)
  return true
}

/** The run that was under way is abandoned in the same moment: nobody else tells of it. */
function close(db: Prepared, id: string, now: number): void {
  db.run("UPDATE runs SET state = 'abandoned', ended = ? WHERE id = ? AND ended IS NULL", now, id)
}

function fromRow(row: Row): Kept {
  return {
    key: String(row.key),
    job: String(row.job),
    at: Number(row.at),
    trigger: String(row.trigger),
    token: String(row.token),
    start: Number(row.start),
    fence: Number(row.fence),
    rerun: row.rerun === 1,
    instance: String(row.instance),
  }
}
