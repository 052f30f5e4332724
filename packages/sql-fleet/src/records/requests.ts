import { EscapementError, type RequestStore, type RunRequest } from '@escapement/core'
import {
  decodeData,
  digestOf,
  encodeData,
  KEY_MS,
  keyReused,
  queueFull,
  timeOf,
} from '@escapement/core/plugin'
import { places, type Sql } from '../sql.ts'
import { searchText } from './queries.ts'

/** Requests that are looked at in one round. */
const MAX_LOOKED = 10_000
/** Requests that are read by one statement. */
const MAX_READ = 500

interface Parts {
  readonly sql: Sql
  readonly instance: () => string
  /** Names this life of the process; undefined when it is not started. */
  readonly owner: () => string | undefined
  /** Makes a time in ms what a column `at` of this database takes. */
  readonly at: string
  /** Between two looks for requests of other processes, in ms. */
  readonly poll: number
  /** Writes what waits: a run that has begun or ended here waits no more. */
  flush(): Promise<void> | void
  /** Requests cannot be read now: they wait. */
  onFault(error: unknown): void
}

/**
 * Requests for runs: a request is the row of its run in state `due`, with what it was asked with. So both are written in one
 * statement, and whoever begins the run takes the row over.
 */
export class SqlRequests implements RequestStore {
  readonly durable = true
  readonly poll: number
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
    this.poll = parts.poll
  }

  async accept(request: RunRequest, max: number): Promise<string> {
    for (let tries = 0; ; tries++) {
      if (await this.#insert(request, max)) return request.id
      const known = await this.#known(request)
      if (known !== undefined) return known
      if (await this.#isFull(request.job, max)) throw queueFull(request.job, max)
      // The run that had the key is gone, or its key is free, since.
      if (tries >= 3) throw new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', 'the request could not be kept')
    }
  }

  async due(now: number, room: (job: string) => number): Promise<RunRequest[]> {
    try {
      return await this.#due(now, room)
    } catch (error) {
      this.#parts.onFault(error)
      return []
    }
  }

  async #due(now: number, room: (job: string) => number): Promise<RunRequest[]> {
    const { flush } = this.#parts
    await flush()
    const rows = await this.#parts.sql.rows(
      "SELECT id, job, due, expires FROM $.runs WHERE state = 'due' ORDER BY id LIMIT ?",
      MAX_LOOKED,
    )
    if (rows.length === 0) return []
    const left = new Map<string, number>()
    const chosen = rows.filter(({ job, due, expires }) => {
      const name = String(job)
      if (Number(expires) <= now) return true
      if (Number(due) > now) return false
      const free = left.get(name) ?? room(name)
      left.set(name, free - 1)
      return free > 0
    })
    return this.#read(chosen.map(({ id }) => String(id)).slice(0, MAX_READ))
  }

  async waiting(ids: readonly string[]): Promise<string[]> {
    const { sql, flush } = this.#parts
    await flush()
    const found: string[] = []
    for (let i = 0; i < ids.length; i += MAX_READ) {
      const some = ids.slice(i, i + MAX_READ)
      const text = `SELECT id FROM $.runs WHERE state = 'due' AND id IN (${places(some)})`
      found.push(...(await sql.rows(text, ...some)).map(({ id }) => String(id)))
    }
    return found
  }

  async withdraw(id: string): Promise<boolean> {
    const { sql, owner, flush } = this.#parts
    await flush()
    // If this process dies before it writes how the run has ended, the run counts as abandoned.
    const text = "UPDATE $.runs SET state = 'claimed', owner = ? WHERE id = ? AND state = 'due' RETURNING id"
    return (await sql.rows(text, owner() ?? null, id)).length > 0
  }

  async #insert(request: RunRequest, max: number): Promise<boolean> {
    const { id, job, at, expires, data, key, asked, retryOf, jobData } = request
    const { sql, instance } = this.#parts
    const input = JSON.stringify({ data: encodeData(data), key, asked, retryOf, jobData })
    const facts = JSON.stringify(request.facts ?? { asked, retryOf })
    const rows = await sql.rows(
      `INSERT INTO $.runs (id, key, job, at, trigger, state, attempt, start, instance, search, due, expires, input,
          ask_key, ask_digest, facts)
        SELECT ?, ?, ?, ${this.#parts.at}, ?, 'due', 0, 1, ?, ?, CAST(? AS bigint), CAST(? AS bigint), ?, ?, ?, ?
        WHERE (SELECT count(*) FROM $.runs WHERE state = 'due' AND job = ?) < ?
        ON CONFLICT DO NOTHING RETURNING id`,
      ...[
        id,
        id,
        job,
        at,
        retryOf === undefined ? 'manual' : 'retry',
        instance(),
        searchText(job, undefined),
      ],
      ...[at, expires, input, keyText(key), key === undefined ? null : digestOf(data), facts],
      ...[job, max],
    )
    return rows.length > 0
  }

  /** The id of the run that was asked for with the same key before. */
  async #known({ job, key, data, id }: RunRequest): Promise<string | undefined> {
    const { sql } = this.#parts
    if (key === undefined) return undefined
    const [row] = await sql.rows(
      'SELECT id, ask_digest FROM $.runs WHERE job = ? AND ask_key = ?',
      job,
      keyText(key),
    )
    if (!row) return undefined
    const before = String(row.id)
    if (timeOf(id) - timeOf(before) >= KEY_MS) {
      await sql.rows('UPDATE $.runs SET ask_key = NULL WHERE id = ?', before)
      return undefined
    }
    if (row.ask_digest !== digestOf(data)) throw keyReused(job, key)
    return before
  }

  async #isFull(job: string, max: number): Promise<boolean> {
    const text = "SELECT count(*) AS waiting FROM $.runs WHERE state = 'due' AND job = ?"
    const [row] = await this.#parts.sql.rows(text, job)
    return Number(row?.waiting) >= max
  }

  async #read(ids: readonly string[]): Promise<RunRequest[]> {
    if (ids.length === 0) return []
    const text = `SELECT id, job, due, expires, input FROM $.runs WHERE state = 'due' AND id IN (${places(ids)}) ORDER BY id`
    const rows = await this.#parts.sql.rows(text, ...ids)
    return rows.map(({ id, job, due, expires, input }) => {
      const kept = JSON.parse(String(input)) as Omit<RunRequest, 'id' | 'job' | 'at' | 'expires'>
      return {
        ...kept,
        id: String(id),
        job: String(job),
        at: Number(due),
        expires: Number(expires),
        data: decodeData(kept.data),
        key: kept.key,
        asked: kept.asked,
      }
    })
  }
}

/** A text that every database can hold. */
function keyText(key: string | undefined): string | null {
  return key === undefined ? null : JSON.stringify(key)
}
