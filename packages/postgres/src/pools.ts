import { Client, isPool, ownPool, type PoolLike } from './client.ts'
import { migrate, requireNewest } from './migrate.ts'
import type { Settings } from './options.ts'

/** History may take its time, claims may not. */
const HISTORY_TIMEOUT_MS = 30_000
const MIGRATION_TIMEOUT_MS = 60_000

/** The user's pool for the history, and two connections of the plugin's own for claims and heartbeats. */
export class Pools {
  /** For claims and heartbeats. */
  client: Client
  readonly history: Client
  readonly #settings: Settings
  #own: ReturnType<typeof ownPool>

  /** @param onClosed The user's pool was closed while it is used: called once. */
  constructor(settings: Settings, onClosed: () => void) {
    const { pool, schema, timeout } = settings
    this.#settings = settings
    this.client = new Client(pool, schema, timeout)
    const readable = eitherPool(pool, () => this.#own, once(onClosed))
    this.history = new Client(readable, schema, HISTORY_TIMEOUT_MS)
  }

  /** Makes the tables, or looks whether they are there. */
  async open(): Promise<void> {
    const { pool, schema, timeout } = this.#settings
    this.#own ??= ownPool(pool, timeout)
    this.client = new Client(this.#own ?? pool, schema, timeout)
    const prepare = this.#settings.migrate ? migrate : requireNewest
    await prepare(new Client(this.#own ?? pool, schema, MIGRATION_TIMEOUT_MS), schema)
  }

  close(): Promise<void> | undefined {
    const { pool, schema, timeout } = this.#settings
    const closing = this.#own
    this.#own = undefined
    this.client = new Client(pool, schema, timeout)
    return closing?.end()
  }
}

/** The pool, or the plugin's own one when an app has ended its pool before the scheduler has stopped. */
function eitherPool(pool: PoolLike, own: () => PoolLike | undefined, onClosed: () => void): PoolLike {
  return {
    query(sql, values) {
      const other = own()
      if (!other || !isPool(pool) || !pool.ending) return patient(pool).query(sql, values)
      onClosed()
      return other.query(sql, values)
    },
  }
}

/** The pool; a connection of it that has gone silent is given up after a time, and the pool makes a new one. */
function patient(pool: PoolLike): PoolLike {
  if (!isPool(pool)) return pool
  const query_timeout = pool.options.query_timeout || HISTORY_TIMEOUT_MS
  return { query: (text, values) => pool.query({ text, values, query_timeout }) }
}

function once(tell: () => void): () => void {
  let told = false
  return () => {
    if (!told) tell()
    told = true
  }
}
