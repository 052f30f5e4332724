import { type Clock, systemClock, type Timer } from '@escapement/core'
import { type Database, isBusy, type Row, type Statement, type Value } from './driver.ts'

/** A piece of a transaction. */
export type Work = (db: Prepared) => void

interface Entry {
  work: Work
  done: (() => void) | undefined
  failed: ((error: unknown) => void) | undefined
}

/** How many writes wait at most: beyond that, memory would grow while the file cannot be written. */
const MOST = 200_000
/** Written at once when so many wait. */
const PLENTY = 2_000
/** Until another try when another process is writing, in ms. */
const AGAIN = 50
/** Tries until those who wait for their write are told that it failed. */
const TRIES = 20

/** Writes in groups: what comes within `delay` ms is one transaction. */
export class Writer {
  clock: Clock = systemClock
  /** Told of faults that nobody waits for. */
  onError: (error: unknown) => void = () => {}
  readonly #open: () => Database
  readonly #delay: number
  #db: Prepared | undefined
  #queue: Entry[] = []
  #timer: Timer | undefined
  #immediate = false
  #tries = 0
  #dirty = false

  /** @param delay 0: nothing waits longer than until the event loop's next turn. */
  constructor(open: () => Database, delay: number) {
    this.#open = open
    this.#delay = delay
  }

  /** The file, opened when it is first needed. */
  get db(): Prepared {
    this.#db ??= new Prepared(this.#open())
    return this.#db
  }

  /** Writes with the next group. Resolves when it is committed. */
  write(work: Work): Promise<void> {
    return new Promise((done, failed) => {
      this.#push({ work, done, failed })
      this.#soon()
    })
  }

  /** Writes with the next group, with no hurry. */
  later(work: Work): void {
    this.#push({ work, done: undefined, failed: undefined })
    if (this.#delay === 0 || this.#queue.length >= PLENTY) this.#soon()
    else if (!this.#timer) this.#timer = this.#after(this.#delay)
  }

  /** Writes all that waits. Throws when it cannot be written now. */
  flush(): void {
    if (this.#timer) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#queue.length > 0) this.#commit(this.#queue.splice(0))
  }

  /** Writes all that waits, unless another process is writing. */
  tryFlush(): void {
    try {
      this.flush()
    } catch (error) {
      if (!isBusy(error)) throw error
    }
  }

  /** Lets the disk have what is committed: from then on a power failure does not take it back. */
  sync(): void {
    if (!this.#dirty) return
    this.#dirty = false
    this.db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  }

  close(): void {
    if (this.#timer) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#db?.close()
    this.#db = undefined
  }

  #push(entry: Entry): void {
    if (this.#queue.length >= MOST) {
      const lost = this.#queue.shift() as Entry
      const error = new Error('a write was given up: too many wait for the file')
      if (lost.failed) lost.failed(error)
      else this.onError(error)
    }
    this.#queue.push(entry)
  }

  #soon(): void {
    if (this.#immediate) return
    this.#immediate = true
    this.clock.setImmediate(() => {
      this.#immediate = false
      this.#try()
    })
  }

  #after(ms: number): Timer {
    const timer = this.clock.setTimeout(() => {
      this.#timer = undefined
      this.#try()
    }, ms)
    timer.unref?.()
    return timer
  }

  #try(): void {
    try {
      this.flush()
    } catch (error) {
      this.onError(error)
    }
    if (this.#queue.length > 0 && !this.#timer) this.#timer = this.#after(AGAIN)
  }

  /** One transaction. What makes it fail is taken out; when the file is busy, all of it waits on. */
  #commit(entries: Entry[]): void {
    let current: Entry | undefined
    try {
      this.db.exec('BEGIN IMMEDIATE')
      for (const entry of entries) {
        current = entry
        entry.work(this.db)
      }
      current = undefined
      this.db.commit()
    } catch (error) {
      this.#db?.rollback()
      if (isBusy(error) && ++this.#tries < TRIES) {
        this.#queue = entries.concat(this.#queue)
        throw error
      }
      this.#tries = 0
      const culprits = current ? [current] : entries
      this.#queue = entries.filter((entry) => !culprits.includes(entry)).concat(this.#queue)
      for (const { failed } of culprits) {
        if (failed) failed(error)
        else this.onError(error)
      }
      return
    }
    this.#tries = 0
    this.#dirty = true
    for (const { done } of entries) done?.()
  }
}

/** A database that prepares each statement once, and counts the fence. */
export class Prepared {
  readonly #db: Database
  readonly #statements = new Map<string, Statement>()
  #fence: number | undefined

  constructor(db: Database) {
    this.#db = db
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /** Runs a statement; gives the number of rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  /**
   * A number higher than any before, within a transaction. Never below the time in µs, so that it rises over
   * the loss of the file as well.
   */
  nextFence(now: number): number {
    this.#fence ??= Number(this.get('SELECT value FROM fence')?.value ?? 0)
    this.#fence = Math.max(this.#fence + 1, Math.floor(now) * 1000)
    return this.#fence
  }

  commit(): void {
    if (this.#fence !== undefined) this.run('UPDATE fence SET value = ?', this.#fence)
    this.#fence = undefined
    this.exec('COMMIT')
  }

  rollback(): void {
    this.#fence = undefined
    try {
      this.exec('ROLLBACK')
    } catch {
      // It had not begun, or SQLite has rolled back by itself.
    }
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
