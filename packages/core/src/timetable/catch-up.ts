import type { JobEntry } from '../jobs/job-entry.ts'
import type { Troubles } from '../log/trouble.ts'
import { instantAfter } from '../triggers/index.ts'
import type { Clock, Store, Trigger } from '../types/index.ts'
import { crypto } from '../util/crypto.ts'
import { answer } from '../util/time.ts'

/** A watermark further ahead than this, in ms, was written by a clock that was wrong: stores lower it. */
export const WATERMARK_AHEAD = 60_000
/** How long a start waits for the store, in ms: without an answer nothing is caught up. */
const STORE_TIMEOUT_MS = 30_000

/** What catching up needs of the scheduler. */
export interface CatchUpContext {
  readonly clock: Clock
  readonly store: Store
  readonly faults: {
    readonly troubles: Troubles
    storeFailed(source: string, error: unknown, effect: string): void
  }
  /** Wall time in ms. */
  now(): number
}

/**
 * Asks a durable store how far the jobs were decided before this process: where to arm them. Those that have
 * nothing to catch up are not in the answer.
 */
export async function loadWatermarks(
  context: CatchUpContext,
  jobs: readonly JobEntry[],
): Promise<Map<JobEntry, number>> {
  const watermarks = new Map<JobEntry, number>()
  const { jobs: kept } = context.store
  if (!kept || jobs.length === 0) return watermarks
  try {
    const now = context.now()
    const enrolled = jobs.map((job) => ({
      name: job.name,
      digest: digest(job.trigger),
      formerly: job.policies.formerly,
      paused: job.paused,
    }))
    const asked = kept.enroll(enrolled, now)
    const states = await answer(context.clock, asked, STORE_TIMEOUT_MS, 'store.jobs.enroll()')
    context.faults.troubles.works('store.jobs')
    for (const [index, job] of jobs.entries()) {
      const state = states[index]
      if (!state) continue
      // What fell into a pause is not made up for.
      if (
        enrolled[index]?.paused ||
        job.paused ||
        state.decided === undefined ||
        state.decided > now + WATERMARK_AHEAD
      )
        continue
      watermarks.set(job, state.decided)
    }
  } catch (error) {
    context.faults.storeFailed('store.jobs', error, 'missed ticks are not caught up')
  }
  return watermarks
}

/** Identifies a schedule. */
export function digest({ expression = 'custom', timezone = '' }: Trigger): string {
  return crypto().createHash('sha256').update(`${expression}\n${timezone}`).digest('hex').slice(0, 16)
}

/**
 * The missed ticks after a watermark that need not be looked at one by one: under `latest` and `skip` all but
 * the newest, under `all` those before the catch-up window. From the first of them until an instant, in ms.
 */
export function missedRange(
  job: JobEntry,
  after: number,
  now: number,
): { at: number; until: number } | undefined {
  const due = now - job.spread
  const next = (instant: number) => instantAfter(job.trigger, instant) ?? Infinity
  const first = next(after)
  if (!(first <= due)) return
  const { missed, catchUpWindow } = job.policies
  const until = missed === 'all' ? now - catchUpWindow - 1 : newest(next, first, due) - 1
  return first <= until ? { at: first, until } : undefined
}

/** How many ticks there are from the one at `first` until an instant, in ms; at most `most`. */
export function countTicks(trigger: Trigger, first: number, until: number, most: number): number {
  let ticks = 0
  for (let at = first; at <= until && ticks < most; at = instantAfter(trigger, at) ?? Infinity) ticks++
  return ticks
}

/** The newest tick up to `due`, searched backwards from there. */
function newest(next: (after: number) => number, first: number, due: number): number {
  for (let step = 1000; ; step *= 2) {
    let found = next(Math.max(due - step, first - 1))
    if (found > due) continue
    for (let later = next(found); later <= due; later = next(found)) found = later
    return found
  }
}
