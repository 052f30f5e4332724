import type { ActiveRun } from '../run/active-run.ts'
import { isPromise } from '../util/promise.ts'

/** Returns, now or later, what the handler returned. */
export type Chain = (run: ActiveRun) => unknown

/** A policy: as a hook, but trusted, and it sees the run's inner side. Calls `next(run)` once. */
export type Link = (run: ActiveRun, next: Chain) => unknown

/** Makes one function of the links, the first outermost. */
export function compose(links: readonly Link[], last: Chain): Chain {
  return links.reduceRight<Chain>((inner, link) => (run) => link(run, inner), last)
}

/** Calls `done` when the rest of the chain is over, however it ended. */
export function withFinally(run: ActiveRun, next: Chain, done: () => void): unknown {
  let result: unknown
  try {
    result = next(run)
  } catch (error) {
    done()
    throw error
  }
  if (isPromise(result)) return asPromise(result, done)
  done()
  return result
}

/** What the rest of the chain gave, as a promise. `done` is called before it settles. */
export function asPromise(result: PromiseLike<unknown>, done?: () => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    result.then(
      (value) => {
        done?.()
        resolve(value)
      },
      (error) => {
        done?.()
        reject(error)
      },
    )
  })
}
