import type { Job, RunRecord } from '@escapement/core'
import { upcoming } from '@escapement/core'
import { type Call, maySee, queryOf } from '../call.ts'
import { given } from '../query.ts'
import type { JobBrief, OverviewBody, RunBrief, TickBody } from '../types.ts'
import { briefOf, isFailure, jobBrief, plain } from './brief.ts'
import { historiesOf } from './jobs.ts'

const HOUR_MS = 3_600_000
/** How far the timeline reaches into the past and the future, in ms. */
const REACH_MS = 12 * HOUR_MS
/** The most runs and ticks of the timeline, and ticks of one job. */
const MAX_RUNS = 3_000
const MAX_TICKS = 3_000
const MAX_TICKS_OF_JOB = 60
const MAX_JOBS = 1_000

/** All that the first screen shows, in one answer. */
export async function readOverview(call: Call): Promise<OverviewBody> {
  queryOf(call, [])
  const { scheduler, lang, identity } = call
  const now = Date.now()
  const jobs = scheduler
    .jobs()
    .filter(({ name }) => maySee(call, name))
    .slice(0, MAX_JOBS)
  const [recent, under] = await Promise.all([
    scheduler.history({ from: now - REACH_MS, limit: MAX_RUNS }),
    scheduler.history({ state: ['running', 'waiting-retry', 'claimed'], limit: 200 }),
  ])
  const histories = await historiesOf(scheduler, jobs, recent)
  const briefs = jobs.map((job) => jobBrief(job, histories(job.name), { now, lang }))
  const running = under.filter(({ job }) => maySee(call, job)).map(briefOf)
  const ticks = ticksOf(jobs, now, scheduler.timezone)
  return {
    at: new Date(now).toISOString(),
    scheduler: schedulerOf(call),
    verdict: await verdictOf(call, briefs, running.length),
    running,
    failing: failingOf(recent, briefs),
    jobs: briefs,
    next: ticks.slice(0, 10),
    timeline: {
      from: new Date(now - REACH_MS).toISOString(),
      until: new Date(now + REACH_MS).toISOString(),
      runs: recent.filter(({ job }) => maySee(call, job)).map(briefOf),
      ticks,
      cut: recent.length >= MAX_RUNS || ticks.length >= MAX_TICKS,
    },
    viewer: { actor: identity.actor, role: identity.role },
  }
}

/** Whether all is well, with the numbers of the last 24 h. */
async function verdictOf(
  call: Call,
  jobs: readonly JobBrief[],
  running: number,
): Promise<OverviewBody['verdict']> {
  const { scheduler } = call
  const day = await scheduler.stats({ from: Date.now() - 23 * HOUR_MS, perJob: true })
  const counted = day.filter(({ job }) => job !== undefined && maySee(call, job))
  const [failing, overdue] = [
    jobs.filter((job) => job.failing).length,
    jobs.filter((job) => job.overdue).length,
  ]
  const attention = overdue > 0 || scheduler.health().degraded.length > 0
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

function schedulerOf({ scheduler }: Call): OverviewBody['scheduler'] {
  const { instance, timezone, scope, paused } = scheduler
  return {
    instance,
    timezone,
    health: scheduler.health(),
    shared: scope.shared,
    durable: scope.durable,
    ...given({ paused: paused && plain(paused) }),
  }
}

/** The coming ticks of all jobs, the first ones first. */
function ticksOf(jobs: readonly Job[], now: number, timezone: string): TickBody[] {
  const until = new Date(now + REACH_MS)
  const all: { job: string; at: number }[] = []
  for (const { name, trigger, paused, next } of jobs) {
    if (paused || !next) continue
    try {
      const options = { timezone, seed: name, from: new Date(now), until, count: MAX_TICKS_OF_JOB }
      for (const { at } of upcoming(trigger, options)) all.push({ job: name, at: at.getTime() })
    } catch {
      // A trigger that cannot be asked: its next tick is known.
      all.push({ job: name, at: next.getTime() })
    }
  }
  all.sort((a, b) => a.at - b.at)
  return all.slice(0, MAX_TICKS).map(({ job, at }) => ({ job, at: new Date(at).toISOString() }))
}

function failuresOf(outcomes: Readonly<Record<string, number | undefined>>): number {
  return Object.entries(outcomes).reduce(
    (sum, [outcome, count]) => sum + (isFailure(outcome as never) ? (count ?? 0) : 0),
    0,
  )
}
