import type { Job, RunRecord, RunStats, Trigger, Upcoming } from '@escapement/core'
import { upcoming } from '@escapement/core'
import { type Call, maySee, queryOf } from '../call.ts'
import { given } from '../query.ts'
import type { JobBrief, OverviewBody, Page, RunBrief, TickBody } from '../types.ts'
import { briefOf, isFailure, jobBrief, plain } from './brief.ts'
import { historiesOf, tickBody } from './jobs.ts'

const HOUR_MS = 3_600_000
/** How far the timeline reaches into the past and the future, in ms. */
const REACH_MS = 12 * HOUR_MS
const MAX_REACH_MS = 14 * 24 * HOUR_MS
/** The most runs and ticks of the timeline, and ticks of one job. */
const MAX_RUNS = 3_000
const MAX_TICKS = 10_000
const MAX_TICKS_OF_JOB = 720
/** Of a job that has more, some of the rest, so that the timeline sees them up to its end. */
const MAX_LATER_TICKS = 240
const MAX_JOBS = 1_000

/** All that the first screen shows, in one answer. */
export async function readOverview(call: Call): Promise<OverviewBody> {
  queryOf(call, [])
  const { scheduler, identity, settings } = call
  const now = Date.now()
  const jobs = visible(call)
  const [recent, under, day] = await Promise.all([
    scheduler.history({ from: now - REACH_MS, limit: MAX_RUNS }),
    scheduler.history({ state: ['running', 'waiting-retry', 'claimed'], limit: 200 }),
    scheduler.stats({ from: now - 23 * HOUR_MS, perJob: true }),
  ])
  const histories = await historiesOf(scheduler, jobs, recent)
  const briefs = jobs.map((job) => jobBrief(job, histories(job.name), now))
  const running = under.filter(({ job }) => maySee(call, job)).map(briefOf)
  const counted = day.filter(({ job }) => job !== undefined && maySee(call, job))
  const health = scheduler.health()
  return {
    now: new Date(now).toISOString(),
    app: settings.title,
    instance: scheduler.instance,
    timezone: scheduler.timezone,
    health,
    degraded: health.degraded,
    scope: scheduler.scope,
    ...given({ paused: scheduler.paused && plain(scheduler.paused) }),
    actor: identity.actor,
    role: identity.role,
    today: sumOf(counted),
    verdict: verdictOf(health.degraded, briefs, running.length, counted),
    running,
    failing: failingOf(recent, briefs),
    next: ticksOf(jobs, { from: now, until: now + REACH_MS }, scheduler.timezone).slice(0, 10),
  }
}

/** The coming ticks of all jobs, the first ones first. */
export function readTicks(call: Call): Page<TickBody> {
  const query = queryOf(call, ['from', 'until', 'limit'])
  const from = query.instant('from')?.getTime() ?? Date.now()
  const until = Math.min(query.instant('until')?.getTime() ?? from + REACH_MS, from + MAX_REACH_MS)
  const limit = query.integer('limit', { most: MAX_TICKS, fallback: 50 })
  return { items: ticksOf(visible(call), { from, until }, call.scheduler.timezone).slice(0, limit) }
}

function visible(call: Call): Job[] {
  return call.scheduler
    .jobs()
    .filter(({ name }) => maySee(call, name))
    .slice(0, MAX_JOBS)
}

function sumOf(counted: readonly RunStats[]): OverviewBody['today'] {
  const sum: Record<string, number> = {}
  for (const { outcomes } of counted)
    for (const [outcome, count] of Object.entries(outcomes)) sum[outcome] = (sum[outcome] ?? 0) + count
  return sum
}

/** Whether all is well, with the numbers of the last 24 h. */
function verdictOf(
  degraded: readonly string[],
  jobs: readonly JobBrief[],
  running: number,
  counted: readonly RunStats[],
): OverviewBody['verdict'] {
  const failing = jobs.filter((job) => job.failing).length
  const overdue = jobs.filter((job) => job.overdue).length
  const attention = overdue > 0 || degraded.length > 0
  return {
    level: failing > 0 ? 'bad' : attention ? 'attention' : 'well',
    jobs: jobs.length,
    failing,
    overdue,
    paused: jobs.filter((job) => job.paused).length,
    running,
    runs: counted.reduce((sum, { runs }) => sum + runs, 0),
    failures: counted.reduce((sum, { outcomes }) => sum + failuresOf(outcomes), 0),
  }
}

/** The newest failure of each job that fails. */
function failingOf(recent: readonly RunRecord[], jobs: readonly JobBrief[]): RunBrief[] {
  const failing = new Set(jobs.filter((job) => job.failing).map(({ name }) => name))
  const newest = new Map<string, RunRecord>()
  for (const run of recent)
    if (failing.has(run.job) && isFailure(run.outcome) && !newest.has(run.job)) newest.set(run.job, run)
  return [...newest.values()].map(briefOf)
}

function ticksOf(
  jobs: readonly Job[],
  span: { readonly from: number; readonly until: number },
  timezone: string,
): TickBody[] {
  const all: { job: string; at: number; note: string | undefined }[] = []
  const [from, until] = [new Date(span.from), new Date(span.until)]
  for (const { name, trigger, paused, next } of jobs) {
    if (paused || !next) continue
    try {
      for (const tick of someOf(trigger, { timezone, seed: name, from, until }))
        all.push({ job: name, at: tick.at.getTime(), note: tickBody(tick).note })
    } catch {
      // A trigger that cannot be asked: its next tick is known.
      all.push({ job: name, at: next.getTime(), note: undefined })
    }
  }
  all.sort((a, b) => a.at - b.at)
  return all.map(({ job, at, note }) => ({ job, at: new Date(at).toISOString(), ...given({ note }) }))
}

/** The first ticks, and of the rest one in each of many equal parts of the time. */
function* someOf(
  trigger: Trigger,
  options: { timezone: string; seed: string; from: Date; until: Date },
): Generator<Upcoming> {
  let [last, count] = [options.from.getTime(), 0]
  for (const tick of upcoming(trigger, { ...options, count: MAX_TICKS_OF_JOB })) {
    last = tick.at.getTime()
    count++
    yield tick
  }
  if (count < MAX_TICKS_OF_JOB) return
  const until = options.until.getTime()
  const step = (until - last) / MAX_LATER_TICKS
  while (last + step < until) {
    const [tick] = upcoming(trigger, { ...options, from: new Date(last + step), count: 1 })
    if (!tick) return
    last = tick.at.getTime()
    yield tick
  }
}

function failuresOf(outcomes: Readonly<Record<string, number | undefined>>): number {
  return Object.entries(outcomes).reduce(
    (sum, [outcome, count]) => sum + (isFailure(outcome as never) ? (count ?? 0) : 0),
    0,
  )
}
