import type { Recordable } from '../run/record.ts'
import { RunSnapshot } from '../run/snapshot.ts'

/** A run that is kept. `order` rises from run to run. */
export interface Entry {
  order: number
  run: Recordable
}

/** The runs of one job, the oldest first. */
class History {
  entries: Entry[] = []
  #first = 0

  get count(): number {
    return this.entries.length - this.#first
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

/**
 * The newest runs of all jobs, a limited number. When it is full, the job that has the most loses its oldest: a busy
 * job cannot push out the runs of the others.
 */
export class Histories {
  readonly #limit: number
  readonly #jobs = new Map<string, History>()
  /** The jobs by how many runs of theirs are kept. */
  readonly #levels = new Map<number, Map<string, History>>()
  #most = 0
  #size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(run: Recordable, order: number): void {
    if (this.#limit === 0) return
    const { name } = run.job
    const history = this.#jobs.get(name) ?? new History()
    if (history.count === 0) this.#jobs.set(name, history)
    let free: Entry | undefined
    if (this.#size >= this.#limit && history.count === this.#most) free = history.shift()
    else {
      if (this.#size < this.#limit) this.#size++
      else free = this.#dropOldest()
      this.#move(name, history, 1)
    }
    history.push(keep(run, order, free))
  }

  /** Those of one job, or of all, in no order. */
  of(job: string | undefined): Entry[] {
    if (job === undefined) return [...this.#jobs.values()].flatMap((history) => history.all())
    return this.#jobs.get(job)?.all() ?? []
  }

  /** Of a job that has the most. */
  #dropOldest(): Entry {
    const fullest = this.#levels.get(this.#most) as Map<string, History>
    const [name, history] = fullest.entries().next().value as [string, History]
    this.#move(name, history, -1)
    const entry = history.shift()
    if (history.count === 0) this.#jobs.delete(name)
    return entry
  }

  /** Its history is about to grow or to shrink by one. */
  #move(name: string, history: History, by: 1 | -1): void {
    const { count } = history
    const level = this.#levels.get(count)
    level?.delete(name)
    if (level?.size === 0) this.#levels.delete(count)
    const next = count + by
    if (next > 0) {
      const other = this.#levels.get(next)
      if (other) other.set(name, history)
      else this.#levels.set(next, new Map([[name, history]]))
    }
    if (by > 0) this.#most = Math.max(this.#most, next)
    else if (!this.#levels.has(this.#most)) this.#most = next
  }
}

/** Plain data is made of it when it is asked for. `free`: an entry that is used again. */
function keep(run: Recordable, order: number, free: Entry | undefined): Entry {
  if (!(run instanceof RunSnapshot)) return { order, run }
  if (!free) return { order, run: run.remember() }
  free.order = order
  free.run = run.remember(free.run instanceof RunSnapshot ? free.run : undefined)
  return free
}
