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
  /** The last change of each job that was looked at. */
  readonly #known = new Map<string, number>()

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
    for (const { name, paused, changed } of await this.#client.query(sql, [since])) {
      this.#seen = Number(changed)
      if (this.#known.get(String(name)) === this.#seen) continue
      this.#known.set(String(name), this.#seen)
      const job = this.#host.job(String(name))
      const info = pauseOf(paused)
      if (!job || !info === !job.paused) continue
      this.#store.quiet = true
      if (info) job.pause(info)
      else job.resume()
      this.#store.quiet = false
    }
  }
}
