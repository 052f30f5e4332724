import type { Histogram } from '../types/index.ts'

/** How much longer a class reaches than the one before it. */
const STEP = 1.1
const LOG_STEP = Math.log(STEP)
/** The class of a year: what is longer counts there. */
const MAX_CLASS = Math.ceil(Math.log(366 * 86_400_000) / LOG_STEP)

/** The class of a length of time in ms. */
export function classOf(ms: number): number {
  if (!(ms > 1)) return 0
  return Math.min(Math.ceil(Math.log(ms) / LOG_STEP), MAX_CLASS)
}

/** The length of time, in ms, that this share of those counted stays below; undefined when none was counted. */
export function share(histogram: Histogram, part: number): number | undefined {
  const classes = Object.entries(histogram).map(([index, count]) => [Number(index), count] as const)
  const total = classes.reduce((sum, [, count]) => sum + count, 0)
  if (total === 0) return undefined
  let left = Math.ceil(total * part)
  for (const [index, count] of classes.toSorted(([a], [b]) => a - b)) {
    left -= count
    // In the middle of the class.
    if (left <= 0) return index === 0 ? 1 : STEP ** (index - 0.5)
  }
  return undefined
}

/** Adds the counts of one histogram to another. */
export function addHistogram(to: Record<number, number>, from: Histogram): void {
  for (const [index, count] of Object.entries(from)) to[Number(index)] = (to[Number(index)] ?? 0) + count
}
