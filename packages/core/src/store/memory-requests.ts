import type { RequestStore, RunRequest } from '../types/index.ts'
import { digestOf, KEY_MS, keyReused, queueFull } from './request-refusals.ts'

/** The most keys that are known. */
const MAX_KEYS = 100_000

/** Requests for runs wait in this process. */
export class MemoryRequests implements RequestStore {
  readonly durable = false
  readonly #queues = new Map<string, Queue>()
  /** The job of each request that waits. */
  readonly #jobs = new Map<string, string>()
  readonly #keys = new KnownKeys()

  accept(request: RunRequest, max: number): string {
    const { id, job, expires } = request
    const known = this.#keys.find(request)
    if (known !== undefined) return known
    const queue = this.#queues.get(job) ?? { requests: new Map(), expires: Infinity }
    if (queue.requests.size >= max) throw queueFull(job, max)
    this.#keys.add(request)
    this.#queues.set(job, queue)
    queue.requests.set(id, request)
    queue.expires = Math.min(queue.expires, expires)
    this.#jobs.set(id, job)
    return id
  }

  due(now: number, room: (job: string) => number): RunRequest[] {
    const found: RunRequest[] = []
    for (const [job, queue] of this.#queues) {
      if (queue.expires <= now) found.push(...expired(queue, now))
      let left = room(job)
      for (const request of queue.requests.values()) {
        if (left <= 0) break
        if (request.at > now || request.expires <= now) continue
        found.push(request)
        left--
      }
    }
    return found
  }

  withdraw(id: string): boolean {
    const job = this.#jobs.get(id)
    if (job === undefined) return false
    this.#jobs.delete(id)
    const queue = this.#queues.get(job)
    queue?.requests.delete(id)
    if (queue?.requests.size === 0) this.#queues.delete(job)
    return true
  }
}

/** Requests for runs of one job. */
interface Queue {
  /** By their ids, the oldest first. */
  readonly requests: Map<string, RunRequest>
  /** When the first of them expires, in ms. */
  expires: number
}

function expired(queue: Queue, now: number): RunRequest[] {
  const requests = [...queue.requests.values()]
  const valid = requests.filter(({ expires }) => expires > now)
  queue.expires = Math.min(...valid.map(({ expires }) => expires))
  return requests.filter(({ expires }) => expires <= now)
}

/** The keys under which runs were asked for in the last day. */
class KnownKeys {
  readonly #known = new Map<string, { readonly id: string; readonly digest: string; readonly at: number }>()

  /** The id of the run that was asked for with the same key before. */
  find({ job, key, data, at }: RunRequest): string | undefined {
    if (key === undefined) return undefined
    const before = this.#known.get(JSON.stringify([job, key]))
    if (!before || at - before.at >= KEY_MS) return undefined
    if (before.digest !== digestOf(data)) throw keyReused(job, key)
    return before.id
  }

  add({ job, key, id, data, at }: RunRequest): void {
    if (key === undefined) return
    const name = JSON.stringify([job, key])
    this.#known.delete(name)
    this.#known.set(name, { id, digest: digestOf(data), at })
    if (this.#known.size > MAX_KEYS) this.#known.delete(this.#known.keys().next().value as string)
  }
}
