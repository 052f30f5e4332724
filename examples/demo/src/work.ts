import { createHash } from 'node:crypto'
import type { Clock, Run } from '@escapement/core'

/** Half of the work of a made-up job: it takes its time, on whatever clock. */
export interface World {
  readonly clock: Clock
  /** The instant at which the made-up past ends, and the real present begins, in ms. */
  readonly present: number
}

/** A number from 0 to 1 that is the same each time for the same run. */
export function chance(run: Run, what = ''): number {
  const digest = createHash('sha256').update(`${run.key} ${what}`).digest()
  return digest.readUInt32BE() / 2 ** 32
}

/** Lets time pass, or throws when the run is aborted. */
export function pass({ clock }: World, run: Run, ms: number): Promise<void> {
  const { signal } = run
  return new Promise((resolve, reject) => {
    const abort = () => {
      clock.clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal.addEventListener('abort', abort, { once: true })
  })
}

/** About `ms`, some runs more and some less. */
export const about = (run: Run, ms: number): number => Math.round(ms * (0.75 + 0.6 * chance(run) ** 2))
