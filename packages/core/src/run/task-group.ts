import { setMaxListeners } from 'node:events'
import { EscapementError } from '../errors.ts'
import type { Group, GroupOptions, Maybe } from '../types/index.ts'
import { checkKeys, integer } from '../util/validate.ts'

export class TaskGroup implements Group {
  readonly signal: AbortSignal
  #own = new AbortController()
  #pending = new Set<Promise<unknown>>()
  #waiting: (() => void)[] = []
  #active = 0
  #limit: number
  #failed: { error: unknown } | undefined

  constructor(parent: AbortSignal, options: GroupOptions = {}) {
    checkKeys(options, { limit: 1 }, 'group option')
    const { limit = Infinity } = options
    this.#limit = limit === Infinity ? limit : integer('limit', limit, 1)
    this.signal = AbortSignal.any([parent, this.#own.signal])
    setMaxListeners(0, this.signal)
  }

  add<T>(task: (signal: AbortSignal) => Maybe<T>): Promise<T> {
    const promise = this.#perform(task)
    this.#pending.add(promise)
    const settled = () => this.#pending.delete(promise)
    promise.then(settled, settled)
    return promise
  }

  async done(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending)
    if (this.#failed) throw this.#failed.error
  }

  /** Aborts all tasks; `done()` throws `error`. */
  fail(error: unknown): void {
    this.#failed ??= { error }
    this.#own.abort(
      new EscapementError('ERR_ESCAPEMENT_CANCELLED', 'another task of the group failed', { cause: error }),
    )
  }

  async #perform<T>(task: (signal: AbortSignal) => Maybe<T>): Promise<T> {
    if (this.#active < this.#limit) this.#active++
    else await new Promise<void>((go) => this.#waiting.push(go))
    try {
      this.signal.throwIfAborted()
      return await task(this.signal)
    } catch (error) {
      this.fail(error)
      throw error
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#active--
    }
  }
}
