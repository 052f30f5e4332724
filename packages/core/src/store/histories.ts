import type { Recordable } from '../run/record.ts'
import { RunSnapshot } from '../run/snapshot.ts'
import type { ErrorRecord } from '../types/index.ts'

/** What all runs together may hold, in bytes: beyond it the oldest go. */
const MAX_BYTES = 32 * 1024 * 1024

/** A run that is kept. */
export interface Entry {
  run: Recordable
  /** What it holds, about, in bytes. */
  bytes: number
  /** Of ticks in a row that were skipped for one reason: the instant of the last one, in ms. */
  until: number | undefined
  /** How many ticks it stands for. */
  count: number
  /** The next one of its job. */
  newer: Entry | undefined
}

/** In a ring of histories. */
interface Linked {
  previous: Linked
  next: Linked
}

/** The runs of one job. */
export class History implements Linked {
  oldest: Entry | undefined = undefined
  newest: Entry | undefined = undefined
  count = 0
  previous: Linked = this
  next: Linked = this
  /** In which ring it is: how many runs were kept when it was put there. */
  level = 0

  push(entry: Entry): void {
    if (this.newest) this.newest.newer = entry
    else this.oldest = entry
    this.newest = entry
    this.count++
  }

  /** Takes the oldest out. */
  shift(): Entry {
    const entry = this.oldest as Entry
    this.oldest = entry.newer
    if (!entry.newer) this.newest = undefined
    entry.newer = undefined
    this.count--
    return entry
  }

  /** All, the oldest first. */
  all(): Entry[] {
    const entries: Entry[] = []
    for (let entry = this.oldest; entry; entry = entry.newer) entries.push(entry)
    return entries
  }
}

/**
 * The newest runs of all jobs, a limited number. When it is full, the job that has the most loses its oldest: a busy
 * job cannot push out the runs of the others.
 */
export class Histories {
  readonly #limit: number
  /** By how many runs of a job are kept: a ring of such jobs. The one that has been in it longest is the next of its start. */
  readonly #levels: Linked[] = []
  /** The highest level that has a job. */
  #most = 0
  #size = 0
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(history: History, run: Recordable): void {
    if (this.#limit === 0) return
    const entry = entryOf(run, this.#makeRoom(history))
    history.push(entry)
    this.#bytes += entry.bytes
    this.#place(history)
    while (this.#bytes > MAX_BYTES && this.#size > 1) {
      this.#size--
      this.#dropOldest()
    }
  }

  /** Forgets the runs that are meant. Gives how many. */
  forget(isMeant: (run: Recordable) => boolean): number {
    let forgotten = 0
    for (const history of this.#histories()) {
      for (let left = history.count; left > 0; left--) {
        const entry = history.shift()
        if (!isMeant(entry.run)) history.push(entry)
        else {
          this.#bytes -= entry.bytes
          forgotten++
        }
      }
      this.#place(history)
    }
    this.#size -= forgotten
    return forgotten
  }

  /** All that are kept, in no order. */
  all(): Entry[] {
    return this.#histories().flatMap((history) => history.all())
  }

  #histories(): History[] {
    const found: History[] = []
    for (const start of this.#levels)
      for (let linked = start.next; linked !== start; linked = linked.next) found.push(linked as History)
    return found
  }

  /** Lets one more run into a history. Gives the entry that is not kept any more for it. */
  #makeRoom(history: History): Entry | undefined {
    if (this.#size >= this.#limit)
      return history.count === this.#most ? this.#drop(history) : this.#dropOldest()
    this.#size++
    return undefined
  }

  /** Of a job that has the most. */
  #dropOldest(): Entry {
    const history = this.#levels[this.#most]?.next as History
    const dropped = this.#drop(history)
    this.#place(history)
    return dropped
  }

  #drop(history: History): Entry {
    const entry = history.shift()
    this.#bytes -= entry.bytes
    return entry
  }

  /** Puts a history, which has grown or shrunk, into its ring. */
  #place(history: History): void {
    const { count } = history
    if (count === history.level) return
    history.level = count
    unlink(history)
    if (count > 0) link(history, this.#level(count))
    this.#most = Math.max(this.#most, count)
    while (this.#most > 0 && isEmpty(this.#levels[this.#most])) this.#most--
  }

  #level(count: number): Linked {
    for (let next = this.#levels.length; next <= count; next++) this.#levels.push(ring())
    return this.#levels[count] as Linked
  }
}

/** The start of a ring that is empty. */
function ring(): Linked {
  const start = {} as Linked
  start.previous = start
  start.next = start
  return start
}

function isEmpty(start: Linked | undefined): boolean {
  return start === undefined || start.next === start
}

/** Puts it at the end of a ring. */
function link(linked: Linked, start: Linked): void {
  linked.previous = start.previous
  linked.next = start
  start.previous.next = linked
  start.previous = linked
}

function unlink(linked: Linked): void {
  linked.previous.next = linked.next
  linked.next.previous = linked.previous
  linked.previous = linked
  linked.next = linked
}

/**
 * Plain data is made of it when it is asked for.
 *
 * @param dropped An entry that is not kept any more. It is used again: what lives long is dear to collect.
 */
function entryOf(run: Recordable, dropped?: Entry): Entry {
  const free = dropped?.run instanceof RunSnapshot ? dropped.run : undefined
  const kept = run instanceof RunSnapshot ? run.remember(free) : run
  const bytes = sizeOf(kept)
  if (!dropped) return { run: kept, bytes, until: undefined, count: 1, newer: undefined }
  dropped.run = kept
  dropped.bytes = bytes
  dropped.until = undefined
  dropped.count = 1
  return dropped
}

/** Of a run without facts and errors, and of the facts and of each line without their texts, about. */
const RUN_BYTES = 400
const FACTS_BYTES = 300
const LINE_BYTES = 150

function sizeOf(run: Recordable): number {
  if (!(run instanceof RunSnapshot))
    return RUN_BYTES + 2 * JSON.stringify([run.facts, run.logLines, run.errorRecords]).length
  let bytes = RUN_BYTES
  const { kept } = run
  if (kept) bytes += FACTS_BYTES + kept.lines.length * LINE_BYTES + 2 * kept.size
  for (const error of run.errorRecords) bytes += bytesOf(error)
  return bytes
}

function bytesOf({ message, stack = '', causes = [] }: ErrorRecord): number {
  return causes.reduce((sum, cause) => sum + bytesOf(cause), LINE_BYTES + 2 * (message.length + stack.length))
}
