import type { DueBucket, JobEntry } from '../jobs/job-entry.ts'
import { Heap } from '../util/heap.ts'

/**
 * All armed jobs, ordered by the moment they are due. Schedules meet at full seconds and minutes: a heap of
 * moments stays small where one of jobs would be sifted ten thousand times a second.
 */
export class DueQueue {
  readonly #heap = new Heap<DueBucket>()
  readonly #buckets = new Map<number, DueBucket>()
  /** The bucket last put into: the next job is likely to be due then, too. */
  #recent: DueBucket | undefined

  /** When the first job is due, in ms; Infinity when there is none. */
  get due(): number {
    return this.#heap.peek()?.due ?? Infinity
  }

  /** The first job: of those due at one moment the one registered first. */
  peek(): JobEntry | undefined {
    const bucket = this.#heap.peek()
    if (!bucket) return
    if (!bucket.sorted) this.#sort(bucket)
    while (bucket.jobs[bucket.first] === undefined) bucket.first++
    return bucket.jobs[bucket.first]
  }

  /** Puts a job where `job.due` says, also when it is somewhere else. */
  put(job: JobEntry): void {
    this.delete(job)
    let bucket = this.#recent
    if (bucket?.due !== job.due || bucket.left === 0) {
      bucket = this.#buckets.get(job.due) ?? this.#open(job.due)
      this.#recent = bucket
    }
    const last = bucket.jobs[bucket.size - 1]
    if (bucket.left > 0 && !(last && last.order < job.order)) bucket.sorted = false
    job.bucket = bucket
    job.index = bucket.size
    bucket.jobs[bucket.size++] = job
    bucket.left++
  }

  delete(job: JobEntry): void {
    const { bucket } = job
    if (!bucket) return
    bucket.jobs[job.index] = undefined
    job.bucket = undefined
    if (--bucket.left > 0) return
    this.#heap.delete(bucket)
    this.#buckets.delete(bucket.due)
    if (this.#recent === bucket) this.#recent = undefined
  }

  jobs(): JobEntry[] {
    return [...this.#buckets.values()].flatMap(({ jobs }) => jobs.filter((job) => job !== undefined))
  }

  #open(due: number): DueBucket {
    const bucket = { due, order: 0, index: -1, jobs: [], size: 0, left: 0, first: 0, sorted: true }
    this.#buckets.set(due, bucket)
    this.#heap.set(bucket)
    return bucket
  }

  #sort(bucket: DueBucket): void {
    const jobs = bucket.jobs.filter((job) => job !== undefined).sort((a, b) => a.order - b.order)
    for (const [index, job] of jobs.entries()) job.index = index
    bucket.jobs = jobs
    bucket.size = jobs.length
    bucket.first = 0
    bucket.sorted = true
  }
}
