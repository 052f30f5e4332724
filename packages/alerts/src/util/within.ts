import type { Clock, Maybe } from '@escapement/core'

/** What a promise gives, or a rejection when that takes longer than `ms`. */
export function within<T>(clock: Clock, value: Maybe<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
    timer.unref?.()
    void Promise.resolve(value)
      .then(resolve, reject)
      .finally(() => clock.clearTimeout(timer))
  })
}
