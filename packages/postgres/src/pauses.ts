import type { Host, PauseInfo } from '@escapement/core'
import type { Client } from './client.ts'

/** Lets pauses made on one instance take effect on all. */
export class Pauses {
  readonly #reads: Pick<Client, 'query'>
  readonly #writes: Client
  /** The newest change seen, in s of PostgreSQL's clock. */
  #seen: number | undefined
  /** Of each job, the newest change that was read or written here. */
  readonly #known = new Map<string, number>()
  /** How many changes are being written, and the last of them. */
  #writing = 0
  #written: Promise<unknown> = Promise.resolve()
  /** What is paused or resumed now was read from here: it is not written again. */
  #quiet = false

  constructor(reads: Pick<Client, 'query'>, writes: Client) {
    this.#reads = reads
    this.#writes = writes
  }

  /** Writes changes one after the other: each may go to another session, and the last one counts. */
  keep(job: string, paused: PauseInfo | undefined): Promise<void> | undefined {
    if (this.#quiet) return
    const sql = `
      UPDATE $.jobs SET paused = $2, paused_at = now() WHERE name = $1 AND paused IS DISTINCT FROM $2
      RETURNING extract(epoch FROM paused_at)::float8 AS changed`
    this.#writing++
    const write = async () => {
      try {
        const [row] = await this.#writes.query(sql, [job, pauseText(paused)])
        if (row) this.#known.set(job, Number(row.changed))
      } finally {
        this.#writing--
      }
    }
    const written = this.#written.then(write)
    this.#written = written.catch(() => {})
    return written
  }

  /** Looks for changes since the last look. The first look sees those of the last minute. */
  async look(host: Host): Promise<void> {
    const sql = `
      SELECT name, paused, extract(epoch FROM paused_at)::float8 AS changed FROM $.jobs
      WHERE paused_at > coalesce(to_timestamp($1), now() - interval '1 min') ORDER BY paused_at`
    // Transactions end in another order than they begin: a little is looked at twice.
    const since = this.#seen === undefined ? null : this.#seen - 2
    const rows = await this.#reads.query(sql, [since])
    // What was read may be older than what is being written.
    if (this.#writing > 0) return
    for (const row of rows) {
      const name = String(row.name)
      const changed = Number(row.changed)
      this.#seen = changed
      if (changed <= (this.#known.get(name) ?? 0)) continue
      this.#known.set(name, changed)
      const job = host.job(name)
      const info = pauseOf(row.paused)
      if (!job || !info === !job.paused) continue
      this.#quiet = true
      if (info) job.pause(info)
      else job.resume()
      this.#quiet = false
    }
  }
}

/** A pause as it is kept in `jobs.paused`. */
export function pauseText(paused: PauseInfo | undefined): string | null {
  return paused ? JSON.stringify(paused) : null
}

export function pauseOf(text: unknown): PauseInfo | undefined {
  return text === null || text === undefined ? undefined : (JSON.parse(String(text)) as PauseInfo)
}
