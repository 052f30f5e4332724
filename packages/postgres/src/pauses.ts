import type { Host } from '@escapement/core'
import type { Client } from './client.ts'
import { type PostgresStore, pauseOf } from './store.ts'

/** Lets pauses made on one instance take effect on all. */
export class Pauses {
  readonly #client: Client
  readonly #host: Host
  readonly #store: PostgresStore
  /** The newest change seen, in s of PostgreSQL's clock. */
  #seen: number | undefined

  constructor(client: Client, host: Host, store: PostgresStore) {
    this.#client = client
    this.#host = host
    this.#store = store
  }

  /** Looks for changes since the last look. The first look sees those of the last minute. */
  async look(): Promise<void> {
    const sql = `
      SELECT name, paused, extract(epoch FROM paused_at)::float8 AS changed FROM $.jobs
      WHERE paused_at > coalesce(to_timestamp($1), now() - interval '1 min') ORDER BY paused_at`
    // Transactions end in another order than they begin: a little is looked at twice.
    const since = this.#seen === undefined ? null : this.#seen - 2
    const rows = await this.#client.query(sql, [since])
    const { changes, changing } = this.#store
    // What was read may be older than what is being written.
    if (changing > 0) return
    for (const row of rows) {
      const name = String(row.name)
      const changed = Number(row.changed)
      this.#seen = changed
      if (changed <= (changes.get(name) ?? 0)) continue
      changes.set(name, changed)
      const job = this.#host.job(name)
      const info = pauseOf(row.paused)
      if (!job || !info === !job.paused) continue
      this.#store.quiet = true
      if (info) job.pause(info)
      else job.resume()
      this.#store.quiet = false
    }
  }
}
