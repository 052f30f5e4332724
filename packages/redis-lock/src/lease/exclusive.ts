import { type Clock, EscapementError, type Maybe } from '@escapement/core'
import Redlock, { ExecutionError, ResourceLockedError } from 'redlock'
import type { Keys } from '../keys.ts'
import type { Node } from '../nodes/node.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Settings } from '../options.ts'
import { MUTEX, type Script } from '../scripts/index.ts'
import { safeLease } from './lease.ts'
import { type Held, MutexHold } from './mutex-hold.ts'

/** How long Redis may be out of reach before we give up waiting for a mutex, in ms. */
const MAX_WAIT_MS = 5000

/** Named mutual exclusion in the fleet, by redlock: one try at a time, the waiting and renewing is ours. */
export class Exclusive {
  readonly #clock: Clock
  readonly #nodes: Nodes
  readonly #keys: Keys
  readonly #settings: Settings
  #redlock: { readonly of: readonly Node[]; readonly lock: Redlock } | undefined

  constructor(clock: Clock, nodes: Nodes, keys: Keys, settings: Settings) {
    this.#clock = clock
    this.#nodes = nodes
    this.#keys = keys
    this.#settings = settings
  }

  /** @throws ERR_ESCAPEMENT_UNAVAILABLE when Redis cannot be asked, or the reason of an aborted `signal` */
  async run<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal): Promise<T> {
    await this.#nodes.open()
    const held = await this.#acquire(name, signal)
    const hold = new MutexHold(held, { name, clock: this.#clock, settings: this.#settings })
    try {
      return await fn(signal ? AbortSignal.any([signal, hold.signal]) : hold.signal)
    } finally {
      await hold.release()
    }
  }

  async #acquire(name: string, signal?: AbortSignal): Promise<Held> {
    const { lease } = this.#settings
    const shard = this.#keys.shard(name)
    const resources = [this.#keys.mutex(name), this.#keys.born(shard)]
    let reached = this.#clock.monotonic()
    for (let round = 1; ; round++) {
      signal?.throwIfAborted()
      const sent = this.#clock.monotonic()
      try {
        const lock = await this.#client().acquire(resources, lease)
        const until = sent + safeLease(lease)
        if (this.#clock.monotonic() < until) return { lock, until }
        await lock.release().catch(() => {})
      } catch (error) {
        const now = this.#clock.monotonic()
        if (await isLocked(error)) reached = now
        else if (now - reached > MAX_WAIT_MS) {
          const why = this.#nodes.trouble
          const message = `exclusive(${JSON.stringify(name)}) cannot reach enough Redis nodes${why ? `: ${why}` : ''}`
          throw new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message, { cause: error })
        }
      }
      await this.#sleep(Math.min(20 * round, 200) * (0.5 + Math.random()), signal)
    }
  }

  /** Made again when the nodes have been opened again. */
  #client(): Redlock {
    const { all } = this.#nodes
    if (this.#redlock?.of !== all) {
      const lock = new Redlock(
        all.map((node) => adapt(node)),
        { retryCount: 0 },
        {
          // Only functions are taken as scripts: strings would be ignored.
          acquireScript: () => (this.#settings.guard ? MUTEX.acquire : MUTEX.acquireUnguarded).source,
          extendScript: () => MUTEX.extend.source,
          releaseScript: () => MUTEX.release.source,
        },
      )
      this.#redlock = { of: all, lock }
    }
    return (this.#redlock as { lock: Redlock }).lock
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#clock.clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.#clock.setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    })
  }
}

/** What redlock needs of a client, asked only when it answers, and never longer than the timeout. */
function adapt(node: Node): object {
  return {
    evalsha: (sha: string, count: number, args: (string | number)[]) => {
      const script = Object.values(MUTEX).find((each) => each.sha === sha) as Script
      return node.run(script, args.slice(0, count) as string[], args.slice(count))
    },
  }
}

/** Whether a majority could be asked: then somebody else holds it. */
async function isLocked(error: unknown): Promise<boolean> {
  if (!(error instanceof ExecutionError)) return false
  const stats = await error.attempts[0]
  const against = [...(stats?.votesAgainst.values() ?? [])]
  const locked = against.filter((reason) => reason instanceof ResourceLockedError).length
  return locked > against.length - locked
}
