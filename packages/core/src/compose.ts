import { EscapementError } from './errors.ts'
import type { Hook, Maybe } from './interfaces.ts'
import type { ActiveRun } from './run.ts'

/** Returns, now or later, what the handler returned. */
export type Chain = (run: ActiveRun) => unknown

/** A policy: as a hook, but trusted, and it sees the run's inner side. Calls `next(run)` once. */
export type Link = (run: ActiveRun, next: Chain) => unknown

/** Makes one function of the links, the first outermost. */
export function compose(links: readonly Link[], last: Chain): Chain {
  return links.reduceRight<Chain>((inner, link) => (run) => link(run, inner), last)
}

/**
 * Makes a link of a plugin's hook that cannot harm the run: what it throws by itself is reported and the run
 * goes on; what it swallows stays the run's outcome; a second `next()` is rejected. Returning without `next()`
 * skips the run.
 */
export function guard(hook: Hook, report: (error: unknown, run: ActiveRun) => void): Link {
  return (run, next) => {
    let inner: unknown
    let called = false
    const enter = (): Maybe<void> => {
      if (called) {
        throw new EscapementError('ERR_ESCAPEMENT_NEXT_TWICE', 'next() was called twice by a hook')
      }
      called = true
      try {
        inner = next(run)
      } catch (error) {
        inner = Promise.reject(error)
      }
      return inner as Maybe<void>
    }
    const done = () => {
      if (!called) run.end('skipped', 'hook')
      return inner
    }
    const fault = (error: unknown) => {
      if (!called) {
        report(error, run)
        return enter()
      }
      return Promise.resolve(inner).then(
        () => report(error, run),
        (own) => {
          if (own !== error) report(error, run)
          throw own
        },
      )
    }
    try {
      const returned = hook(run, enter)
      // Nothing of its own comes after the rest of the chain.
      if (called && returned === inner) return inner
      return isPromise(returned) ? returned.then(done, fault) : done()
    } catch (error) {
      return fault(error)
    }
  }
}

/** Calls `done` when the rest of the chain is over, however it ended. */
export function settled(run: ActiveRun, next: Chain, done: () => void): unknown {
  let result: unknown
  try {
    result = next(run)
  } catch (error) {
    done()
    throw error
  }
  if (isPromise(result)) return result.finally(done)
  done()
  return result
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | undefined)?.then === 'function'
}
