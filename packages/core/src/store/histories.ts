import type { Recordable } from '../run/record.ts'
import { RunSnapshot } from '../run/snapshot.ts'

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
}

/** In a ring of histories. */
interface Linked {
  previous: Linked
  next: Linked
}

/** The runs of one job, the oldest first. */
class History implements Linked {
  job: string
  entries: Entry[] = []
  previous: Linked = this
  next: Linked = this
  /** In which ring it is: how many runs were kept when it was put there. */
  level = 0
  #first = 0

  constructor(job: string) {
    this.job = job
  }

  get count(): number {
    return this.entries.length - this.#first
  }

  get newest(): Entry | undefined {
    return this.entries.at(-1)
  }

  /** Takes the oldest out. */
  shift(): Entry {
    const entry = this.entries[this.#first++] as Entry
    if (this.#first === this.entries.length || (this.#first > 32 && this.#first * 2 > this.entries.length)) {
      this.entries.splice(0, this.#first)
      this.#first = 0
    }
    return entry
  }

  all(): Entry[] {
    return this.entries.slice(this.#first)
  }

  /** From now on these are all. */
  replace(entries: Entry[]): void {
    this.entries = entries
    this.#first = 0
  }
}

/**
 * The newest runs of all jobs, a limited number. When it is full, the job that has the most loses its oldest: a busy
 * job cannot push out the runs of the others.
 */
export class Histories {
  readonly #limit: number
  readonly #jobs = new Map<string, History>()
  /** By how many runs of a job are kept: a ring of such jobs. The one that has been in it longest is the next of its start. */
  readonly #levels: Linked[] = []
  /** The highest level that has a job. */
  #most = 0
  #size = 0
  #bytes = 0
  /** Of a job of which nothing is kept any more: it is used again. */
  #free: History | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  add(run: Recordable): void {
    if (this.#limit === 0) return
    const history = this.#historyOf(run.job.name)
    const entry = entryOf(run, this.#makeRoom(history))
    history.entries.push(entry)
    this.#bytes += entry.bytes
    this.#place(history)
    while (this.#bytes > MAX_BYTES && this.#size > 1) {
      this.#size--
      this.#dropOldest()
    }
  }

  /** The newest of a job. */
  newest(job: string): Entry | undefined {
    return this.#jobs.get(job)?.newest
  }

  /** Forgets the run of this id, or all of a job. Gives how many. */
  forget({ job, run }: { readonly job?: string; readonly run?: string }): number {
    const before = this.#size
    for (const history of [...this.#jobs.values()]) {
      if (job !== undefined && history.job !== job) continue
      const kept: Entry[] = []
      for (const entry of history.all()) {
        if (run !== undefined && entry.run.id !== run) kept.push(entry)
        else this.#bytes -= entry.bytes
      }
      this.#size -= history.count - kept.length
      history.replace(kept)
      this.#place(history)
    }
    return before - this.#size
  }

  /** Those of one job, or of all, in no order. */
  of(job: string | undefined): Entry[] {
    if (job === undefined) return [...this.#jobs.values()].flatMap((history) => history.all())
    return this.#jobs.get(job)?.all() ?? []
  }

  #historyOf(job: string): History {
    const known = this.#jobs.get(job)
    if (known) return known
    const history = this.#free ?? new History(job)
    this.#free = undefined
    history.job = job
    this.#jobs.set(job, history)
    return history
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
    if (count === 0) {
      this.#jobs.delete(history.job)
      this.#free = history
    } else link(history, this.#level(count))
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
  if (!dropped) return { run: kept, bytes, until: undefined, count: 1 }
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
  for (const { message, stack = '' } of run.errorRecords)
    bytes += LINE_BYTES + 2 * (message.length + stack.length)
  return bytes
}
