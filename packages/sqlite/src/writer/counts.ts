import { addCounts, type Body, bodyOf, DAY_MS, hourOf } from '@escapement/sql-fleet'
import type { Prepared } from '../file/prepared.ts'

/** What one transaction counts, of each job and of all. */
export class Counts {
  /** By job, which is `''` for all jobs together, and hour. */
  readonly #found = new Map<string, { readonly job: string; readonly at: number; readonly body: Body }>()

  /** Counts a run that was made when its id says. */
  add(id: string, job: string, kinds: readonly string[]): void {
    const at = hourOf(id)
    for (const name of [job, '']) {
      const key = `${at} ${name}`
      const counted = this.#found.get(key) ?? { job: name, at, body: {} }
      this.#found.set(key, counted)
      for (const kind of kinds) addCounts(counted.body, { [kind]: 1 })
    }
  }

  write(db: Prepared): void {
    for (const { job, at, body } of this.#found.values()) {
      const row = db.get('SELECT body FROM counters WHERE job = ? AND day = 0 AND at = ?', job, at)
      const sum = row ? addCounts(bodyOf(row.body), body) : body
      const sql = 'INSERT OR REPLACE INTO counters (job, day, at, body) VALUES (?, 0, ?, ?)'
      db.run(sql, job, at, JSON.stringify(sum))
    }
    this.clear()
  }

  clear(): void {
    this.#found.clear()
  }
}

/** Makes days of counters by hour that are older than `before`. Gives how many hours there were. */
export function compact(db: Prepared, before: number, limit: number): number {
  const hours = db.all(
    'SELECT job, at, body FROM counters WHERE day = 0 AND at < ? ORDER BY at LIMIT ?',
    before,
    limit,
  )
  for (const { job, at, body } of hours) {
    const day = Number(at) - (Number(at) % DAY_MS)
    const kept = db.get('SELECT body FROM counters WHERE job = ? AND day = 1 AND at = ?', job as string, day)
    const sum = JSON.stringify(addCounts(bodyOf(kept?.body), bodyOf(body)))
    const sql = 'INSERT OR REPLACE INTO counters (job, day, at, body) VALUES (?, 1, ?, ?)'
    db.run(sql, job as string, day, sum)
    db.run('DELETE FROM counters WHERE job = ? AND day = 0 AND at = ?', job as string, at as number)
  }
  return hours.length
}

/** Adds the counters of one job to those of another. */
export function moveCounters(db: Prepared, from: string, to: string): void {
  for (const { day, at, body } of db.all('SELECT day, at, body FROM counters WHERE job = ?', from)) {
    const where = 'job = ? AND day = ? AND at = ?'
    const kept = db.get(`SELECT body FROM counters WHERE ${where}`, to, day as number, at as number)
    const sum = JSON.stringify(addCounts(bodyOf(kept?.body), bodyOf(body)))
    const sql = 'INSERT OR REPLACE INTO counters (job, day, at, body) VALUES (?, ?, ?, ?)'
    db.run(sql, to, day as number, at as number, sum)
  }
  db.run('DELETE FROM counters WHERE job = ?', from)
}
