import type { Pause } from '@escapement/core'
import type { Columns, Sql } from '../sql.ts'

const KEEP =
  'INSERT INTO $.pauses (job, body) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET body = excluded.body'

/** The pauses of a fleet: a row of each job that was ever paused; `''` stands for all jobs, and no body for none. */
export class SharedPauses {
  /** Changes with each pause that was written here. */
  turn = 0
  readonly #sql: Sql
  readonly #changed: () => Promise<void>
  #writing = 0
  #written: Promise<unknown> = Promise.resolve()

  /** @param changed Lets the other instances know. */
  constructor(sql: Sql, changed: () => Promise<void>) {
    this.#sql = sql
    this.#changed = changed
  }

  /** A pause is being written. */
  get busy(): boolean {
    return this.#writing > 0
  }

  /** One after the other: each may go to another session, and the last one counts. */
  keep(job: string | undefined, body: string | null): Promise<void> {
    this.#writing++
    const written = this.#written
      .then(() => this.#keep(job, body))
      .finally(() => {
        this.#writing--
        this.turn++
      })
    this.#written = written.catch(() => {})
    return written
  }

  async propose(pause: Pause): Promise<Pause | undefined> {
    const job = pause.job ?? ''
    const known = await this.#kept(job)
    if (known) return inForce(job, known.body, pause.at)
    const body = JSON.stringify(pause)
    // As in `#keep()`.
    await this.#sql.rows('UPDATE $.jobs SET paused = ? WHERE name = ? AND paused IS NULL', body, job)
    await this.#sql.rows('INSERT INTO $.pauses (job, body) VALUES (?, ?) ON CONFLICT DO NOTHING', job, body)
    await this.#changed()
    // Another instance may have been faster.
    return inForce(job, (await this.#kept(job))?.body, pause.at)
  }

  /** Those in force. */
  async read(now: Date): Promise<Pause[]> {
    const rows = await this.#sql.rows('SELECT job, body FROM $.pauses WHERE body IS NOT NULL')
    return rows.flatMap(({ job, body }) => inForce(String(job), body, now) ?? [])
  }

  /** Takes over what an instance of the version before has paused or resumed: it writes only to the table of jobs. */
  async adopt(): Promise<void> {
    if (this.busy) return
    const rows = await this.#sql.rows(
      `SELECT j.name, j.paused FROM $.jobs j LEFT JOIN $.pauses p ON p.job = j.name
        WHERE coalesce(j.paused, '') <> coalesce(p.body, '')`,
    )
    for (const { name, paused } of rows)
      await this.#sql.rows(KEEP, String(name), paused === null ? null : String(paused))
    if (rows.length > 0) await this.#changed()
  }

  async #kept(job: string): Promise<Columns | undefined> {
    const [row] = await this.#sql.rows('SELECT body FROM $.pauses WHERE job = ?', job)
    return row
  }

  async #keep(job: string | undefined, body: string | null): Promise<void> {
    // The version before reads it there. First there: `adopt()` of another instance then finds nothing else.
    if (job !== undefined) await this.#sql.rows('UPDATE $.jobs SET paused = ? WHERE name = ?', body, job)
    await this.#sql.rows(KEEP, job ?? '', body)
    await this.#changed()
  }
}

function inForce(job: string, body: unknown, now: Date): Pause | undefined {
  if (body === null || body === undefined) return undefined
  const pause = pauseOf(job, String(body))
  return pause.until && pause.until <= now ? undefined : pause
}

/** The version before kept less of it. */
function pauseOf(job: string, body: string): Pause {
  const { at, until, by, reason } = JSON.parse(body) as Pause
  return {
    job: job === '' ? undefined : job,
    at: new Date(at ?? 0),
    ...(until && { until: new Date(until) }),
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
  }
}
