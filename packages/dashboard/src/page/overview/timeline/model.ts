import type { JobView, RunView, State, Upcoming } from '../../api/types.ts'
import { isBad } from '../../parts/outcome.tsx'

export const LANE = 26
export const AXIS = 30
export const HOUR = 3_600_000

/** What is seen of time, in ms. */
export interface View {
  readonly from: number
  readonly until: number
}

export interface Bar {
  readonly run: RunView
  readonly state: State
  readonly from: number
  readonly until: number
}

export interface Lane {
  readonly name: string
  readonly bad: boolean
  readonly zone: string | undefined
  readonly bars: readonly Bar[]
  readonly ticks: readonly number[]
}

/** Lanes of jobs or of groups: what is not well first, what has nothing to show last, then by name. */
export function lanesOf(
  jobs: readonly JobView[],
  runs: readonly RunView[],
  upcoming: readonly Upcoming[],
  grouped: (job: JobView) => string,
): Lane[] {
  const lanes = new Map<
    string,
    { name: string; bad: boolean; zone?: string | undefined; bars: Bar[]; ticks: number[] }
  >()
  const laneOfJob = new Map<string, string>()
  for (const job of jobs) {
    const name = grouped(job)
    laneOfJob.set(job.name, name)
    const lane = lanes.get(name) ?? { name, bad: false, zone: job.timezone, bars: [], ticks: [] }
    lane.bad ||= job.failing || job.overdue !== undefined
    lanes.set(name, lane)
  }
  for (const run of runs) lanes.get(laneOfJob.get(run.job) ?? '')?.bars.push(barOf(run))
  for (const tick of upcoming) lanes.get(laneOfJob.get(tick.job) ?? '')?.ticks.push(Date.parse(tick.at))
  // What went wrong is drawn last, so that nothing lies over it.
  for (const lane of lanes.values()) lane.bars.sort((a, b) => Number(isBad(a.state)) - Number(isBad(b.state)))
  return [...lanes.values()]
    .map((lane) => ({ ...lane, zone: lane.zone }))
    .sort((a, b) => weight(b) - weight(a) || a.name.localeCompare(b.name))
}

const weight = ({ bad, bars, ticks }: Lane) => (bad ? 2 : 0) + (bars.length + ticks.length > 0 ? 1 : 0)

function barOf(run: RunView): Bar {
  const from = Date.parse(run.startedAt ?? run.scheduledAt)
  const end = run.endedAt ?? run.until
  const open = run.state === 'running' || run.state === 'waiting-retry'
  return {
    run,
    state: run.state,
    from,
    until: open ? Number.POSITIVE_INFINITY : end ? Date.parse(end) : from,
  }
}

export const xOf = (at: number, view: View, width: number): number =>
  ((at - view.from) / (view.until - view.from)) * width

/** The bar under the pointer, or the nearest within a few pixels. */
export function barAt(lane: Lane, x: number, view: View, width: number): Bar | undefined {
  let best: Bar | undefined
  let distance = 6
  for (const bar of lane.bars) {
    const left = xOf(bar.from, view, width)
    const right = Math.max(left + 3, Math.min(width, xOf(bar.until, view, width)))
    const away = x < left ? left - x : x > right ? x - right : 0
    if (away < distance || (away === distance && isBad(bar.state))) {
      best = bar
      distance = away
    }
  }
  return best
}

/** Zooms around an instant, between five minutes and three days. */
export function zoomed(view: View, factor: number, around: number): View {
  const length = Math.min(72 * HOUR, Math.max(HOUR / 12, (view.until - view.from) * factor))
  const share = (around - view.from) / (view.until - view.from)
  return { from: around - share * length, until: around + (1 - share) * length }
}
