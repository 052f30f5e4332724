import type { Prepared } from '../file/prepared.ts'

/** A piece of a transaction. */
export type Work = (db: Prepared) => void

export interface Entry {
  readonly work: Work
  /** What it keeps in memory, about. */
  readonly bytes: number
  readonly done: (() => void) | undefined
  readonly failed: ((error: unknown) => void) | undefined
}

/** What waits at most: beyond that, memory would grow while the file cannot be written. */
export const MAX_WAITING: { readonly entries: number; readonly bytes: number } = {
  entries: 200_000,
  bytes: 64 * 1024 * 1024,
}
/** What a record has beside the text of its errors, in bytes. */
const RECORD_BYTES = 300

/** Writes that have time, the oldest first. */
export class Backlog {
  #entries: Entry[] = []
  #bytes = 0

  get size(): number {
    return this.#entries.length
  }

  /** How many of the oldest were given up for want of room. */
  push(work: Work, bytes: number): number {
    const entry: Entry = { work, bytes: bytes + RECORD_BYTES, done: undefined, failed: undefined }
    const full = this.#entries.length >= MAX_WAITING.entries || this.#bytes + entry.bytes > MAX_WAITING.bytes
    const lost = full ? this.take(Math.ceil(this.#entries.length / 10)).length : 0
    this.#entries.push(entry)
    this.#bytes += entry.bytes
    return lost
  }

  /** Takes the oldest out. */
  take(most: number = Infinity): Entry[] {
    const taken = this.#entries.splice(0, most)
    for (const { bytes } of taken) this.#bytes -= bytes
    return taken
  }

  /** Before all others. */
  putBack(entries: readonly Entry[]): void {
    this.#entries = entries.concat(this.#entries)
    for (const { bytes } of entries) this.#bytes += bytes
  }
}
