import { type Clock, EscapementError, systemClock, type Timer } from '@escapement/core'
import { type Database, isBusy, isTrouble } from '../file/driver.ts'
import { Prepared } from '../file/prepared.ts'
import { Backlog, type Entry, type Work } from './backlog.ts'
import { Counts } from './counts.ts'
import { FileTrouble } from './trouble.ts'

/** Written at once when this many wait, and this many at a time. */
const MAX_GROUP = 2_000
/** How long those who wait are gathered when the last group was just written, in ms. */
const GATHER_MS = 2
/** Until another try when the file could not be written, in ms: doubled by each failure, up to the second. */
const RETRY_DELAY_MS = 50
const MAX_RETRY_DELAY_MS = 1_000

const REPLACED =
  'the file was removed or replaced while it was in use: the file at its path is used from now on. Stop all processes before the file is moved or restored'

/** Writes in groups: what comes within `delay` ms is one transaction. */
export class Writer {
  clock: Clock = systemClock
  readonly trouble: FileTrouble = new FileTrouble()
  /** What is counted in the transaction under way: it is written at its end. */
  readonly counts: Counts = new Counts()
  /** Called when the file at the path is another one than was opened. */
  onReplaced: () => void = () => {}
  readonly #open: (again: boolean) => Database
  readonly #identity: () => string | undefined
  readonly #delay: number
  #db: Prepared | undefined
  /** What somebody waits for, and what has time. */
  #urgent: Entry[] = []
  readonly #backlog = new Backlog()
  #timer: Timer | undefined
  #soonAlready = false
  #wrote = -Infinity
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
      this.#urgent.push({ work, bytes: 0, done, failed })
      this.#soon()
    })
  }

  /**
   * Writes with the next group, with no hurry; maybe after what comes later by `write()`.
   *
   * @param bytes What is kept in memory for it, beside the usual.
   */
  later(work: Work, bytes: number = 0): void {
    const lost = this.#backlog.push(work, bytes)
    if (lost > 0) this.trouble.gaveUp(lost)
    if (this.#timer && (this.trouble.failures > 0 || this.#backlog.size !== MAX_GROUP)) return
    this.#clear()
    this.#timer = this.#after(this.#backlog.size === MAX_GROUP ? 0 : this.#delay)
  }

  /** Writes all that waits. Throws when it cannot be written now. */
  flush(): void {
    this.#clear()
    try {
      this.#checkFile()
    } catch (error) {
      this.trouble.fails(error)
    }
    while (this.#backlog.size > 0 || this.#urgent.length > 0) {
      this.#commit([...this.#backlog.take(), ...this.#urgent.splice(0)])
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
    this.trouble.reset()
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
    if (this.#soonAlready || (this.trouble.failures > 0 && this.#timer)) return
    this.#soonAlready = true
    const go = () => {
      this.#soonAlready = false
      this.#try(() => this.#commit(this.#urgent.splice(0)))
    }
    // Alone, at once; when many come, together. On another clock than the machine's no time need pass.
    const busy = this.clock === systemClock && performance.now() - this.#wrote < GATHER_MS
    if (busy) setTimeout(go, GATHER_MS)
    else this.clock.setImmediate(go)
  }

  #after(ms: number): Timer {
    const timer = this.clock.setTimeout(() => {
      this.#timer = undefined
      // What has piled up while the file could not be written does not block the loop for seconds.
      this.#try(() => this.#commit([...this.#backlog.take(MAX_GROUP), ...this.#urgent.splice(0)]))
    }, ms)
    timer.unref?.()
    return timer
  }

  #try(write: () => void): void {
    let pause = 0
    try {
      write()
    } catch (error) {
      pause = Math.min(MAX_RETRY_DELAY_MS, RETRY_DELAY_MS * 2 ** Math.max(0, this.trouble.failures - 1))
      this.trouble.fails(error)
    }
    const left = this.#urgent.length > 0 || this.#backlog.size > 0
    if (left && !this.#timer) this.#timer = this.#after(pause)
  }

  /**
   * Leaves a file that is no longer at its path: two files would give one tick to two processes. The transaction
   * that meets this is refused; the next one opens the file that is there.
   */
  #checkFile(): void {
    if (!this.#db || this.#identity() === this.#openedAs) return
    this.#release()
    this.onReplaced()
    throw new EscapementError('ERR_ESCAPEMENT_STORE', REPLACED)
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
      this.counts.write(this.db)
      this.db.commit()
    } catch (error) {
      this.#db?.rollback()
      this.counts.clear()
      if (current && !isTrouble(error)) {
        this.#putBack(entries.filter((entry) => entry !== current))
        if (current.failed) current.failed(error)
        else this.trouble.onError(error)
        return
      }
      // A promise is settled in bounded time.
      const over = this.trouble.count() || !isBusy(error)
      this.#putBack(over ? entries.filter(({ failed }) => !failed) : entries)
      if (over) for (const { failed } of entries) failed?.(error)
      throw error
    }
    this.trouble.works()
    this.#dirty = true
    this.#wrote = performance.now()
    for (const { done } of entries) done?.()
  }

  #putBack(entries: readonly Entry[]): void {
    this.#urgent = entries.filter(({ done }) => done).concat(this.#urgent)
    this.#backlog.putBack(entries.filter(({ done }) => !done))
  }
}
