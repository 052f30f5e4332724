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

/** The runs of one job, the oldest first. */
class History {
  entries: Entry[] = []
  #first = 0

  get count(): number {
    return this.entries.length - this.#first
  }

  get newest(): Entry | undefined {
    return this.count > 0 ? this.entries.at(-1) : undefined
  }

  push(entry: Entry): void {
    this.entries.push(entry)
  }

  /** Takes the oldest out. */
  shift(): Entry {
    const entry = this.entries[this.#first++] as Entry
    if (this.#first > 32 && this.#first * 2 > this.entries.length) {
      this.entries.splice(0, this.#first)
      this.#first = 0
    }
    return entry
  }

  all(): Entry[] {
    return this.entries.slice(this.#first)
  }
}

/** Jobs of which as many runs are kept. */
interface Level {
  readonly jobs: Map<string, History>
  /** Gives each job once, the one that has been there longest first. What it gives leaves the level at once. */
  readonly oldest: Iterator<[string, History]>
}

function levelOf(name: string, history: History): Level {
  const jobs = new Map([[name, history]])
  // One iterator for all: a new one would pass by each entry that was deleted, thousands at a time.
  return { jobs, oldest: jobs.entries() }
}

/**
 * The newest runs of all jobs, a limited number. When it is full, the job that has the most loses its oldest: a busy
 * job cannot push out the runs of the others.
 */
export class Histories {
  readonly #limit: number
  readonly #jobs = new Map<string, History>()
  /** The jobs by how many runs of theirs are kept. */
  readonly #levels = new Map<number, Level>()
  #most = 0
  #size = 0
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(run: Recordable): void {
    if (this.#limit === 0) return
    const { name } = run.job
    const history = this.#historyOf(name)
    this.#push(history, entryOf(run, this.#makeRoom(name, history)))
  }

  /** The newest of a job. */
  newest(job: string): Entry | undefined {
    return this.#jobs.get(job)?.newest
  }

  /** Forgets the run of this id, or all of a job. Gives how many. */
  forget({ job, run }: { readonly job?: string; readonly run?: string }): number {
    let forgotten = 0
    for (const [name, history] of [...this.#jobs]) {
      if (job !== undefined && name !== job) continue
      const kept = history.all().filter((entry) => run !== undefined && entry.run.id !== run)
      const { count } = history
      if (kept.length === count) continue
      for (let left = count; left > 0; left--) {
        this.#move(name, history, -1)
        this.#bytes -= history.shift().bytes
      }
      this.#jobs.delete(name)
      this.#size -= count
      forgotten += count - kept.length
      for (const entry of kept) {
        const refilled = this.#historyOf(name)
        this.#makeRoom(name, refilled)
        this.#push(refilled, entry)
      }
    }
    return forgotten
  }

  /** Those of one job, or of all, in no order. */
  of(job: string | undefined): Entry[] {
    if (job === undefined) return [...this.#jobs.values()].flatMap((history) => history.all())
    return this.#jobs.get(job)?.all() ?? []
  }

  #historyOf(name: string): History {
    const history = this.#jobs.get(name) ?? new History()
    if (history.count === 0) this.#jobs.set(name, history)
    return history
  }

  /** Lets one more run into the history of a job. Gives the entry that is not kept any more for it. */
  #makeRoom(name: string, history: History): Entry | undefined {
    if (this.#size >= this.#limit && history.count === this.#most) return this.#drop(history)
    const dropped = this.#size < this.#limit ? undefined : this.#dropOldest()
    if (!dropped) this.#size++
    this.#move(name, history, 1)
    return dropped
  }

  #push(history: History, entry: Entry): void {
    history.push(entry)
    this.#bytes += entry.bytes
    while (this.#bytes > MAX_BYTES && this.#size > 1) {
      this.#size--
      this.#dropOldest()
    }
  }

  /** Of a job that has the most. */
  #dropOldest(): Entry {
    const fullest = this.#levels.get(this.#most) as Level
    const [name, history] = fullest.oldest.next().value as [string, History]
    this.#move(name, history, -1)
    const dropped = this.#drop(history)
    if (history.count === 0) this.#jobs.delete(name)
    return dropped
  }

  #drop(history: History): Entry {
    const entry = history.shift()
    this.#bytes -= entry.bytes
    return entry
  }

  /** Its history is about to grow or to shrink by one. */
  #move(name: string, history: History, by: 1 | -1): void {
    const { count } = history
    const level = this.#levels.get(count)
    level?.jobs.delete(name)
    if (level?.jobs.size === 0) this.#levels.delete(count)
    const next = count + by
    if (next > 0) {
      const other = this.#levels.get(next)
      if (other) other.jobs.set(name, history)
      else this.#levels.set(next, levelOf(name, history))
    }
    if (by > 0) this.#most = Math.max(this.#most, next)
    else if (!this.#levels.has(this.#most)) this.#most = next
  }
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
