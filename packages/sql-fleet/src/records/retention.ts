import { KEY_MS } from '@escapement/core/plugin'
import type { FleetSettings } from '../options.ts'
import type { Sql } from '../sql.ts'
import { FAILED } from './queries.ts'
import { firstId } from './rows.ts'

/** Runs that are removed by one statement. */
const BATCH = 1_000
/** Jobs that are looked at in one round. */
const JOBS_OF_ROUND = 50

/** Ids of a job. */
interface Bounds {
  /** Runs of before it go. */
  readonly before: string
  /** But for failures from this one on, and runs whose key may be asked for again from that one on. */
  readonly spared: string
  readonly keyed: string
}

/**
 * Removes old runs, a bounded number at a time. Of each job the newest stay, however old they are; beyond that all of some
 * days, as far as the total goes; and failures for longer. Ticks that did not run are counted apart.
 */
export class Retention {
  readonly #sql: Sql
  readonly #settings: FleetSettings
  /** Where the next round begins. */
  #job = ''
  /** No run of before this id is kept because of its age alone: the total was reached. */
  #full = ''
  #rounds = 0

  constructor(sql: Sql, settings: FleetSettings) {
    this.#sql = sql
    this.#settings = settings
  }

  /** @param now In ms, by a clock that is not ahead. */
  async round(now: number): Promise<void> {
    if (this.#rounds++ % 60 === 0) await this.#findFull()
    const { runs, age, failures } = this.#settings
    const aged = firstId(now - age)
    const upTo = aged > this.#full ? aged : this.#full
    const keyed = firstId(now - KEY_MS)
    for (let jobs = 0; jobs < JOBS_OF_ROUND; jobs++) {
      const [next] = await this.#sql.rows(
        'SELECT job FROM $.runs WHERE job > ? ORDER BY job LIMIT 1',
        this.#job,
      )
      if (!next) {
        this.#job = ''
        return
      }
      this.#job = String(next.job)
      for (const which of ['NOT IN', 'IN']) {
        const keep = await this.#nth(`state ${which} ('skipped', 'missed')`, runs)
        if (keep === undefined) continue
        const failed = await this.#nth(FAILED, failures.runs)
        const late = firstId(now - failures.age)
        const spared = failed !== undefined && failed > late ? failed : late
        await this.#remove(which, { before: keep < upTo ? keep : upTo, spared, keyed })
      }
    }
  }

  /** The id of the nth newest run of the job of such a kind. */
  async #nth(kind: string, n: number): Promise<string | undefined> {
    const text = `SELECT id FROM $.runs WHERE job = ? AND ${kind} ORDER BY id DESC LIMIT 1 OFFSET ?`
    const [row] = await this.#sql.rows(text, this.#job, n - 1)
    return row && String(row.id)
  }

  async #remove(which: string, { before, spared, keyed }: Bounds): Promise<void> {
    const text = `DELETE FROM $.runs WHERE id IN (
      SELECT id FROM $.runs WHERE job = ? AND state ${which} ('skipped', 'missed') AND ended IS NOT NULL AND id < ?
        AND NOT (${FAILED} AND id >= ?) AND NOT (ask_key IS NOT NULL AND id >= ?)
      ORDER BY id LIMIT ${BATCH}) RETURNING id`
    for (let batches = 0; batches < 10; batches++) {
      const removed = await this.#sql.rows(text, this.#job, before, spared, keyed)
      if (removed.length < BATCH) return
    }
  }

  async #findFull(): Promise<void> {
    const text = 'SELECT id FROM $.runs ORDER BY id DESC LIMIT 1 OFFSET ?'
    const [row] = await this.#sql.rows(text, this.#settings.total - 1)
    this.#full = row ? String(row.id) : ''
  }
}
