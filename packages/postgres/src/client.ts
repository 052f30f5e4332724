import { EscapementError } from '@escapement/core'

export type Row = Record<string, unknown>

/** What is used of a pool: that of `pg`, or a client of it. Each call may go to another session. */
export interface PoolLike {
  query(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
}

/** What `pg.Pool` has besides. */
interface Pool extends PoolLike {
  readonly options: object & { password?: unknown; query_timeout?: number }
  readonly Client: unknown
  /** Its end was asked for. */
  readonly ending?: boolean
  query: PoolLike['query'] &
    ((query: {
      text: string
      values: unknown[] | undefined
      query_timeout: number
    }) => ReturnType<PoolLike['query']>)
  on(event: 'error', listener: (error: Error) => void): unknown
  end(): Promise<void>
}

/** A connection that has not answered for so long is given up: the pool makes a new one. */
const DEAD_CONNECTION_MS = 10_000

/**
 * A small pool of our own to the same database: heartbeats must not wait behind the transactions of the app, and a
 * connection that has gone silent must not hold them up for ever. Undefined for what is no pool of `pg`.
 */
export function ownPool(pool: PoolLike, timeout: number): (PoolLike & { end(): Promise<void> }) | undefined {
  if (!isPool(pool)) return
  const Own = pool.constructor as new (options: object) => Pool
  const own = new Own({
    ...pool.options,
    // It is not enumerable in the options of a pool.
    password: pool.options.password,
    max: 2,
    idleTimeoutMillis: 60_000,
    allowExitOnIdle: true,
    keepAlive: true,
    connectionTimeoutMillis: timeout,
    query_timeout: Math.max(DEAD_CONNECTION_MS, 2 * timeout),
    application_name: 'escapement',
  })
  // A connection that breaks while nobody uses it: the next statement tells.
  own.on('error', () => {})
  return own
}

export function isPool(pool: PoolLike): pool is Pool {
  const { options, Client, on, end } = pool as Partial<Pool>
  return (
    typeof options === 'object' &&
    typeof Client === 'function' &&
    typeof on === 'function' &&
    typeof end === 'function'
  )
}

/**
 * Statements of one schema. Each is a transaction of its own, without session state or prepared names: it may
 * run behind PgBouncer in transaction mode.
 */
export class Client {
  readonly #pool: PoolLike
  readonly #schema: string
  readonly #timeout: number

  constructor(pool: PoolLike, schema: string, timeout: number) {
    this.#pool = pool
    this.#schema = `"${schema}".`
    this.#timeout = timeout
  }

  /**
   * Runs a statement; `$.` in it is the schema. Runs it again when another transaction was in its way: what the
   * database's isolation level makes of that is no answer. Rejects when there is no answer in time: what was sent
   * may take effect nevertheless.
   */
  async query(sql: string, values?: unknown[]): Promise<Row[]> {
    const end = performance.now() + this.#timeout
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(sql, values, Math.max(1, end - performance.now()))
      } catch (error) {
        if (!COLLISIONS.has(codeOf(error)) || performance.now() >= end) throw error
        await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(5 * tries, 100)))
      }
    }
  }

  /** Also when what was to be made was just made by another instance. */
  async patient(sql: string, values?: unknown[]): Promise<Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.query(sql, values)
      } catch (error) {
        if (tries >= 20 || !MADE_ALREADY.has(codeOf(error))) throw error
      }
    }
  }

  #once(sql: string, values: unknown[] | undefined, ms: number): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const late = () => {
        const message = `PostgreSQL has not answered within ${this.#timeout} ms`
        reject(new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message))
      }
      const timer = setTimeout(late, ms)
      this.#pool
        .query(sql.replaceAll('$.', this.#schema), values)
        .then(({ rows }) => resolve(rows), reject)
        .finally(() => clearTimeout(timer))
    })
  }
}

/** Serialization failure, deadlock, a lock that was not free within the database's `lock_timeout`. */
const COLLISIONS: ReadonlySet<string> = new Set(['40001', '40P01', '55P03'])
const MADE_ALREADY: ReadonlySet<string> = new Set(['23505', '42710', '42P06', '42P07', 'XX000'])

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code)
}

/** The data cannot be written: another try would not help. */
export function isRefused(error: unknown): boolean {
  return /^(22|23)/.test(codeOf(error))
}
