import { EscapementError } from '@escapement/core'

export type Row = Record<string, unknown>

/** What is used of a pool: that of `pg`, or a client of it. Each call may go to another session. */
export interface PoolLike {
  query(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
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
   * Runs a statement; `$.` in it is the schema. Rejects when there is no answer in time: what was sent may
   * take effect nevertheless.
   */
  query(sql: string, values?: unknown[]): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const late = () => {
        const message = `PostgreSQL has not answered within ${this.#timeout} ms`
        reject(new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message))
      }
      const timer = setTimeout(late, this.#timeout)
      this.#pool
        .query(sql.replaceAll('$.', this.#schema), values)
        .then(({ rows }) => resolve(rows), reject)
        .finally(() => clearTimeout(timer))
    })
  }

  /** Tries again when another instance was writing the same. */
  async patient(sql: string, values?: unknown[]): Promise<Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.query(sql, values)
      } catch (error) {
        if (tries >= 20 || !isConflict(error)) throw error
      }
    }
  }
}

/** Deadlock, serialization failure, or that what was to be made was just made by another. */
const CONFLICTS = new Set(['40P01', '40001', '23505', '42710', '42P06', '42P07', 'XX000'])

function isConflict(error: unknown): boolean {
  return CONFLICTS.has(String((error as { code?: unknown }).code))
}

/** The data cannot be written: another try would not help. */
export function isRefused(error: unknown): boolean {
  return /^(22|23)/.test(String((error as { code?: unknown }).code))
}
