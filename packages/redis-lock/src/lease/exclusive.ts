import { type Clock, EscapementError, type Maybe } from '@escapement/core'
import Redlock, { ExecutionError, type Lock, ResourceLockedError } from 'redlock'
import type { Keys } from '../keys.ts'
import type { Node } from '../nodes/node.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Settings } from '../options.ts'
import { MUTEX, type Script } from '../scripts/index.ts'
import { safeLease } from './lease.ts'

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
    const { lease } = this.#settings
    const controller = new AbortController()
    const abort = (reason: unknown) => controller.abort(reason)
    const passOn = () => abort(signal?.reason)
    signal?.addEventListener('abort', passOn, { once: true })
    let { lock, until } = held
    let over = false
    let extending: Promise<void> | undefined
    const extend = async () => {
      const sent = this.#clock.monotonic()
      try {
        lock = await lock.extend(lease)
        until = sent + safeLease(lease)
      } catch {
        // Tried again at the next beat, until the deadline.
      }
    }
    let nextBeat = this.#clock.monotonic() + this.#settings.heartbeat
    const watch = () => {
      if (over) return
      const now = this.#clock.monotonic()
      if (now >= until) {
        abort(
          new EscapementError('ERR_ESCAPEMENT_LEASE_LOST', `the hold on ${JSON.stringify(name)} was lost`),
        )
        return
      }
      if (now >= nextBeat && !extending) {
        nextBeat = now + this.#settings.heartbeat
        extending = extend().finally(() => {
          extending = undefined
        })
      }
      const wake = Math.min(nextBeat, until)
      timer = this.#clock.setTimeout(watch, Math.max(5, Math.ceil(wake - now)))
      timer.unref?.()
    }
    let timer = this.#clock.setTimeout(watch, this.#settings.heartbeat)
    timer.unref?.()
    try {
      return await fn(controller.signal)
    } finally {
      over = true
      this.#clock.clearTimeout(timer)
      signal?.removeEventListener('abort', passOn)
      await extending
      // A hold that is over needs no release, and what fails expires by itself.
      await lock.release().catch(() => {})
    }
  }

  async #acquire(name: string, signal?: AbortSignal): Promise<{ lock: Lock; until: number }> {
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
