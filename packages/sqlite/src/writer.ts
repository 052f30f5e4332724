import { type Clock, systemClock, type Timer } from '@escapement/core'
import { type Database, isBusy, isTrouble, type Row, type Statement, type Value } from './driver.ts'

/** A piece of a transaction. */
export type Work = (db: Prepared) => void

interface Entry {
  work: Work
  done: (() => void) | undefined
  failed: ((error: unknown) => void) | undefined
}

/** How many writes wait at most: beyond that, memory would grow while the file cannot be written. */
const MOST = 200_000
/** Written at once when so many wait, and so many at a time. */
const PLENTY = 2_000
/** How long those who wait are gathered when the last group was just written, in ms. */
const GATHER = 2
/** Until another try when the file could not be written, in ms. */
const AGAIN = 50
/** Tries while another process is writing, until those who wait for their write are told that it failed. */
const TRIES = 8

/** Writes in groups: what comes within `delay` ms is one transaction. */
export class Writer {
  clock: Clock = systemClock
  /** Told of faults that nobody waits for. */
  onError: (error: unknown) => void = () => {}
  readonly #open: () => Database
  readonly #delay: number
  #db: Prepared | undefined
  /** What somebody waits for, and what has time. */
  #urgent: Entry[] = []
  #idle: Entry[] = []
  #timer: Timer | undefined
  #soonAlready = false
  #wrote = -Infinity
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

  /** Writes at once, with all that comes in the same turn. Resolves when it is committed. */
  write(work: Work): Promise<void> {
    return new Promise((done, failed) => {
      this.#urgent.push({ work, done, failed })
      this.#soon()
    })
  }

  /** Writes with the next group, with no hurry; maybe after what comes later by `write()`. */
  later(work: Work): void {
    if (this.#idle.length >= MOST) {
      const { length } = this.#idle.splice(0, MOST / 10)
      this.onError(new Error(`${length} records were given up: too many wait for the file`))
    }
    this.#idle.push({ work, done: undefined, failed: undefined })
    if (this.#timer && this.#idle.length !== PLENTY) return
    this.#clear()
    this.#timer = this.#after(this.#idle.length === PLENTY ? 0 : this.#delay)
  }

  /** Writes all that waits. Throws when it cannot be written now. */
  flush(): void {
    this.#clear()
    while (this.#idle.length > 0 || this.#urgent.length > 0) {
      this.#commit([...this.#idle.splice(0), ...this.#urgent.splice(0)])
    }
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
    this.#clear()
    this.#db?.close()
    this.#db = undefined
  }

  #clear(): void {
    if (this.#timer) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #soon(): void {
    if (this.#soonAlready) return
    this.#soonAlready = true
    const go = () => {
      this.#soonAlready = false
      this.#try(() => this.#commit(this.#urgent.splice(0)))
    }
    // Alone, at once; when many come, together. On another clock than the machine's no time need pass.
    const busy = this.clock === systemClock && performance.now() - this.#wrote < GATHER
    if (busy) setTimeout(go, GATHER)
    else this.clock.setImmediate(go)
  }

  #after(ms: number): Timer {
    const timer = this.clock.setTimeout(() => {
      this.#timer = undefined
      // What has piled up while the file could not be written does not block the loop for seconds.
      this.#try(() => this.#commit([...this.#idle.splice(0, PLENTY), ...this.#urgent.splice(0)]))
    }, ms)
    timer.unref?.()
    return timer
  }

  #try(write: () => void): void {
    let pause = 0
    try {
      write()
    } catch (error) {
      pause = AGAIN
      if (!isBusy(error)) this.onError(error)
    }
    const left = this.#urgent.length > 0 || this.#idle.length > 0
    if (left && !this.#timer) this.#timer = this.#after(pause)
  }

  /** One transaction. An entry that cannot be written is taken out; when the file cannot, the others wait on. */
  #commit(entries: Entry[]): void {
    if (entries.length === 0) return
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
      if (current && !isTrouble(error)) {
        this.#putBack(entries.filter((entry) => entry !== current))
        if (current.failed) current.failed(error)
        else this.onError(error)
        return
      }
      // Who waits for an answer gets one in bounded time.
      const over = !isBusy(error) || ++this.#tries >= TRIES
      if (over) this.#tries = 0
      this.#putBack(over ? entries.filter(({ failed }) => !failed) : entries)
      if (over) for (const { failed } of entries) failed?.(error)
      throw error
    }
    this.#tries = 0
    this.#dirty = true
    this.#wrote = performance.now()
    for (const { done } of entries) done?.()
  }

  #putBack(entries: readonly Entry[]): void {
    this.#urgent = entries.filter(({ done }) => done).concat(this.#urgent)
    this.#idle = entries.filter(({ done }) => !done).concat(this.#idle)
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
