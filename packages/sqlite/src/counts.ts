import { addCounts, type Body, hourOf } from '@escapement/sql-fleet'
import type { Prepared } from './prepared.ts'

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
      const sum = row ? addCounts(JSON.parse(String(row.body)) as Body, body) : body
      const sql = 'INSERT OR REPLACE INTO counters (job, day, at, body) VALUES (?, 0, ?, ?)'
      db.run(sql, job, at, JSON.stringify(sum))
    }
    this.clear()
  }

  clear(): void {
    this.#found.clear()
  }
}
