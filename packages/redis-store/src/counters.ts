import type { Outcome, RunCounts, RunRecord, StatsQuery } from '@escapement/core'
import { classOf } from '@escapement/core/plugin'
import { STATS } from './scripts/index.ts'
import type { Writer } from './writer.ts'

export const HOUR_MS: number = 3_600_000
export const DAY_MS: number = 24 * HOUR_MS

type Counts = Record<string, number>

/** What is counted of a run that has ended: its outcome, `d12` a duration of class 12, `l3` a lateness of class 3. */
export function kindsOf({ outcome, attempt, duration, late }: RunRecord): string[] {
  if (outcome === undefined) return []
  if (attempt === 0 || duration === undefined) return [outcome]
  return [outcome, `d${classOf(duration)}`, `l${classOf(late)}`]
}

/**
 * Reads counters.
 *
 * @param jobs The names of all jobs that were counted.
 */
export async function readStats(
  writer: Writer,
  query: StatsQuery,
  jobs: () => Promise<readonly string[]>,
): Promise<RunCounts[]> {
  const { from, until = Number.MAX_SAFE_INTEGER, step = 'hour', job, perJob = false } = query
  const length = step === 'day' ? DAY_MS : HOUR_MS
  const first = Number(from) - (Number(from) % length)
  const names = perJob && job === undefined ? await jobs() : [job ?? '']
  const found: RunCounts[] = []
  for (const name of names) {
    const spans = (await writer.ask(STATS, [name, first, Number(until)])) as (string | string[])[]
    const sums = new Map<number, Counts>()
    for (let i = 0; i < spans.length; i += 2) {
      const at = Number(spans[i]) - (Number(spans[i]) % length)
      const sum = sums.get(at) ?? {}
      sums.set(at, sum)
      const counts = spans[i + 1] as string[]
      for (let k = 0; k < counts.length; k += 2)
        sum[counts[k] as string] = (sum[counts[k] as string] ?? 0) + Number(counts[k + 1])
    }
    for (const [at, counts] of sums) found.push(countsOf(at, name === '' ? undefined : name, counts))
  }
  return found.toSorted((a, b) => a.at.getTime() - b.at.getTime())
}

function countsOf(at: number, job: string | undefined, counts: Counts): RunCounts {
  const outcomes: { [O in Outcome]?: number } = {}
  const durations: Record<number, number> = {}
  const lateness: Record<number, number> = {}
  for (const [kind, count] of Object.entries(counts)) {
    const length = /^([dl])(\d+)$/.exec(kind)
    if (!length) outcomes[kind as Outcome] = count
    else (length[1] === 'd' ? durations : lateness)[Number(length[2])] = count
  }
  return { at: new Date(at), job, outcomes, durations, lateness }
}
