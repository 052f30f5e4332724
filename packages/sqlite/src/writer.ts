import { type Clock, EscapementError, systemClock, type Timer } from '@escapement/core'
import { describe } from '@escapement/core/plugin'
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
/** Until another try when the file could not be written, in ms: doubled by each failure, up to the second. */
const AGAIN = 50
const AGAIN_AT_MOST = 1_000
/** Failures in a row while another process is writing, from which on the file is in trouble. */
const TRIES = 5

/** Writes in groups: what comes within `delay` ms is one transaction. */
export class Writer {
  clock: Clock = systemClock
  /** Called with the fault of a record, and once when the file begins to fail. */
  onError: (error: unknown) => void = () => {}
  /** Called with a line when another program begins to hold the file for long, and when the file works again. */
  onNotice: (line: string) => void = () => {}
  /** Called when the file at the path is another one than was opened. */
  onReplaced: () => void = () => {}
  readonly #open: (again: boolean) => Database
  readonly #identity: () => string | undefined
  readonly #delay: number
  #db: Prepared | undefined
  /** What somebody waits for, and what has time. */
  #urgent: Entry[] = []
  #idle: Entry[] = []
  #timer: Timer | undefined
  #soonAlready = false
  #wrote = -Infinity
  /** In a row. */
  #failures = 0
  #inTrouble = false
  /** Why, in one line. */
  #reason: string | undefined
  /** Records given up since the trouble began. */
  #lost = 0
  #opened = false
  #openedAs: string | undefined
  #dirty = false

  /** @param delay 0: nothing waits longer than until the event loop's next turn. */
  constructor(
    open: (again: boolean) => Database,
    delay: number,
    identity: () => string | undefined = () => 'none',
  ) {
    this.#open = open
    this.#identity = identity
    this.#delay = delay
  }

  /** What is wrong with the file now, in one line. */
  get trouble(): string | undefined {
    return this.#inTrouble ? this.#reason : undefined
  }

  /** The file, opened when it is first needed. */
  get db(): Prepared {
    if (this.#db) return this.#db
    this.#db = new Prepared(this.#open(this.#opened))
    this.#opened = true
    this.#openedAs = this.#identity()
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
      if (this.#lost === 0) {
        this.onError(new Error(`${MOST} records wait for the file: the oldest are given up from now on`))
      }
      this.#lost += this.#idle.splice(0, MOST / 10).length
    }
    this.#idle.push({ work, done: undefined, failed: undefined })
    if (this.#timer && (this.#failures > 0 || this.#idle.length !== PLENTY)) return
    this.#clear()
    this.#timer = this.#after(this.#idle.length === PLENTY ? 0 : this.#delay)
  }

  /** Writes all that waits. Throws when it cannot be written now. */
  flush(): void {
    this.#clear()
    try {
      this.#checkFile()
    } catch (error) {
      this.#fails(error)
    }
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
    this.#opened = false
    this.#failures = 0
    this.#inTrouble = false
    this.#lost = 0
    this.#release()
  }

  #release(): void {
    const db = this.#db
    this.#db = undefined
    db?.close()
  }

  #clear(): void {
    if (this.#timer) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #soon(): void {
    // Each try may block the event loop: while the file fails, the next is made by the timer.
    if (this.#soonAlready || (this.#failures > 0 && this.#timer)) return
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
      pause = Math.min(AGAIN_AT_MOST, AGAIN * 2 ** Math.max(0, this.#failures - 1))
      this.#fails(error)
    }
    const left = this.#urgent.length > 0 || this.#idle.length > 0
    if (left && !this.#timer) this.#timer = this.#after(pause)
  }

  /** Told once, when it begins. A short wait for another process is no trouble. */
  #fails(error: unknown): void {
    if (this.#inTrouble || (isBusy(error) && this.#failures < TRIES)) return
    this.#inTrouble = true
    this.#reason = `the file cannot be written: ${describe(error).message}`
    if (!isBusy(error)) {
      this.onError(error)
      return
    }
    this.onNotice(
      'the file is locked by another program: claims are refused and records wait until it is released: end its transaction',
    )
  }

  #works(): void {
    this.#failures = 0
    if (!this.#inTrouble && this.#lost === 0) return
    const lost = this.#lost
    this.#inTrouble = false
    this.#lost = 0
    this.onNotice(
      `the file can be written again${lost > 0 ? `: ${lost} records were given up meanwhile` : ''}`,
    )
  }

  /**
   * Leaves a file that is no longer at its path: two files would give one tick to two processes. The transaction
   * that meets this is refused; the next one opens the file that is there.
   */
  #checkFile(): void {
    if (!this.#db || this.#identity() === this.#openedAs) return
    this.#release()
    this.onReplaced()
    const message =
      'the file was removed or replaced while it was in use: the file at its path is used from now on. Stop all processes before the file is moved or restored'
    throw new EscapementError('ERR_ESCAPEMENT_STORE', message)
  }

  /** One transaction. An entry that cannot be written is taken out; when the file cannot, the others wait on. */
  #commit(entries: Entry[]): void {
    if (entries.length === 0) return
    let current: Entry | undefined
    try {
      this.#checkFile()
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
      const over = ++this.#failures >= TRIES || !isBusy(error)
      this.#putBack(over ? entries.filter(({ failed }) => !failed) : entries)
      if (over) for (const { failed } of entries) failed?.(error)
      throw error
    }
    this.#works()
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
