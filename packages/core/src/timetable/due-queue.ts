import type { JobEntry } from '../jobs/job-entry.ts'
import { type Entry, Heap } from '../util/heap.ts'

/** The jobs that are due at one instant. */
export interface Slot extends Entry {
  /** In the order they are fired; those that have left are undefined. */
  jobs: (JobEntry | undefined)[]
  /** How much of `jobs` is in use. */
  size: number
  left: number
  /** Where the first one is that may not have left. */
  first: number
  /** By registration. */
  sorted: boolean
}

/**
 * All armed jobs, ordered by the moment they are due. Schedules meet at full seconds and minutes: a heap of
 * moments stays small where one of jobs would be sifted ten thousand times a second.
 */
export class Agenda {
  readonly #heap = new Heap<Slot>()
  readonly #slots = new Map<number, Slot>()
  /** The slot last put into: the next job is likely to be due then, too. */
  #recent: Slot | undefined
  /** An empty slot to be used again: ten thousand jobs that point to a new one each second make work for the collector. */
  #spare: Slot | undefined

  /** When the first job is due, in ms; Infinity when there is none. */
  get due(): number {
    return this.#heap.peek()?.due ?? Infinity
  }

  /** The first job: of those due at one moment the one registered first. */
  peek(): JobEntry | undefined {
    const slot = this.#heap.peek()
    if (!slot) return
    if (!slot.sorted) this.#sort(slot)
    while (slot.jobs[slot.first] === undefined) slot.first++
    return slot.jobs[slot.first]
  }

  /** Puts a job where `job.due` says, also when it is somewhere else. */
  put(job: JobEntry): void {
    this.delete(job)
    let slot = this.#recent
    if (slot?.due !== job.due || slot.left === 0) {
      slot = this.#slots.get(job.due) ?? this.#open(job.due)
      this.#recent = slot
    }
    const last = slot.jobs[slot.size - 1]
    if (slot.left > 0 && !(last && last.order < job.order)) slot.sorted = false
    job.slot = slot
    job.place = slot.size
    slot.jobs[slot.size++] = job
    slot.left++
  }

  delete(job: JobEntry): void {
    const { slot } = job
    if (!slot) return
    slot.jobs[job.place] = undefined
    job.slot = undefined
    if (--slot.left > 0) return
    this.#heap.delete(slot)
    this.#slots.delete(slot.due)
    if (this.#recent === slot) this.#recent = undefined
    slot.size = 0
    slot.first = 0
    slot.sorted = true
    this.#spare = slot
  }

  jobs(): JobEntry[] {
    return [...this.#slots.values()].flatMap(({ jobs }) => jobs.filter((job) => job !== undefined))
  }

  #open(due: number): Slot {
    const slot: Slot = this.#spare ?? {
      due,
      order: 0,
      index: -1,
      jobs: [],
      size: 0,
      left: 0,
      first: 0,
      sorted: true,
    }
    this.#spare = undefined
    slot.due = due
    this.#slots.set(due, slot)
    this.#heap.set(slot)
    return slot
  }

  #sort(slot: Slot): void {
    const jobs = slot.jobs.filter((job) => job !== undefined).sort((a, b) => a.order - b.order)
    for (const [place, job] of jobs.entries()) job.place = place
    slot.jobs = jobs
    slot.size = jobs.length
    slot.first = 0
    slot.sorted = true
  }
}
