import type { ActiveRun } from '../run/active-run.ts'
import { Heap, type HeapEntry } from '../util/heap.ts'
import { type Chain, type Link, withFinally } from './compose.ts'

/** What a point of priority is worth, in ms of waiting: why a low priority is served in the end. */
const POINT = 10_000

/** Lets `limit` runs of a scheduler be under way at a time; the others wait by priority and age. */
export function concurrency(limit: number, monotonic: () => number): Link {
  const waiting = new Heap<HeapEntry & { run: ActiveRun }>()
  let active = 0
  let order = 0

  async function queue(run: ActiveRun, next: Chain): Promise<unknown> {
    const due = monotonic() - run.job.policies.priority * POINT
    const entry = { due, order: order++, index: -1, run }
    waiting.set(entry)
    const passed = await run.wait()
    if (passed) return occupy(run, next)
    waiting.delete(entry)
    if (run.aborted) throw run.aborted
    run.decide('skipped', 'shutdown')
  }

  /** Under a slot that is ours already. Gives it to the next in line, or back. */
  function occupy(run: ActiveRun, next: Chain): unknown {
    return withFinally(run, next, () => {
      const heir = waiting.pop()
      if (heir) heir.run.proceed()
      else active--
    })
  }

  return (run, next) => {
    if (active >= limit) return queue(run, next)
    active++
    return occupy(run, next)
  }
}
