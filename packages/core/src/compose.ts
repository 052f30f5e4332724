import { EscapementError } from './errors.ts'
import type { Hook, Maybe } from './interfaces.ts'
import type { ActiveRun } from './run.ts'

/** A built-in policy: as a hook, but trusted, and it sees the run's inner side. */
export type Link = (run: ActiveRun, next: () => unknown) => unknown

/** Returns, now or later, what the handler returned. */
export type Chain = (run: ActiveRun) => unknown

/** Makes one function of the links, the first outermost. A second `next()` of a link throws. */
export function compose(links: readonly Link[], last: Chain): Chain {
  return links.reduceRight<Chain>(
    (inner, link) => (run) => {
      let called = false
      return link(run, () => {
        if (called)
          throw new EscapementError('ERR_ESCAPEMENT_NEXT_TWICE', 'next() was called twice by a hook')
        called = true
        return inner(run)
      })
    },
    last,
  )
}

/**
 * Makes a link of a plugin's hook that cannot harm the run: what it throws by itself is reported and the run
 * goes on; what it swallows stays the run's outcome. Returning without `next()` skips the run.
 */
export function guard(hook: Hook, report: (error: unknown, run: ActiveRun) => void): Link {
  return (run, next) => {
    let inner: unknown
    let called = false
    const enter = (): Maybe<void> => {
      if (called) return next() as undefined // throws
      called = true
      try {
        inner = next()
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
      return isPromise(returned) ? returned.then(done, fault) : done()
    } catch (error) {
      return fault(error)
    }
  }
}

/** Calls `done` when `next()` is over, however it ended, without making a promise where there is none. */
export function settled(next: () => unknown, done: () => void): unknown {
  let result: unknown
  try {
    result = next()
  } catch (error) {
    done()
    throw error
  }
  if (!isPromise(result)) {
    done()
    return result
  }
  return result.finally(done)
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | undefined)?.then === 'function'
}
