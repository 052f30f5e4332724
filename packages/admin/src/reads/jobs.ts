import type { Job, RunRecord, Scheduler } from '@escapement/core'
import { type Upcoming, upcoming } from '@escapement/core'
import { type Call, maySee, queryOf } from '../call.ts'
import { Refusal } from '../problem.ts'
import { given } from '../query.ts'
import type { JobBody, JobBrief, Page, RecentRun, UpcomingBody } from '../types.ts'
import { type JobHistory, jobBrief } from './brief.ts'

const DAY_MS = 86_400_000
/** Runs that are read to see how jobs stand. */
const MAX_RUNS = 3_000
/** Jobs that are asked one by one when few of their runs are among them. */
const MAX_ASKED = 50
/** Runs that are shown of a job. */
const MAX_RECENT = 30

/** The job of the path. @throws Refusal */
export function jobOf(call: Call): Job {
  const name = call.params.name ?? ''
  if (call.scheduler.has(name) && maySee(call, name)) return call.scheduler.get(name)
  throw new Refusal(404, 'ERR_ESCAPEMENT_JOB_UNKNOWN', `there is no job ${JSON.stringify(name)}`)
}

/** What has become of the runs of these jobs lately. */
export async function historiesOf(
  scheduler: Scheduler,
  jobs: readonly Job[],
  runs: readonly RunRecord[],
): Promise<(name: string) => JobHistory> {
  const found = new Map<string, RecentRun[]>()
  for (const run of runs) {
    const list = found.get(run.job) ?? []
    const recent = recentOf(run)
    if (recent) found.set(run.job, [...list, recent].slice(0, MAX_RECENT))
  }
  const count = ({ name }: Job) => found.get(name)?.length ?? 0
  const few = jobs.filter((job) => count(job) < MAX_RECENT).toSorted((a, b) => count(a) - count(b))
  await Promise.all(
    few.slice(0, MAX_ASKED).map(async ({ name }) => {
      const own = await scheduler.history({ job: name, limit: MAX_RECENT })
      found.set(
        name,
        own.flatMap((run) => recentOf(run) ?? []),
      )
    }),
  )
  const stats = await scheduler.stats({ from: Date.now() - DAY_MS, step: 'day', perJob: true })
  const usual = new Map(stats.map(({ job, p50 }) => [job, p50]))
  return (name) => ({ runs: found.get(name) ?? [], usual: usual.get(name) })
}

/** Undefined for a tick that did not run, and for a run that has not ended. */
function recentOf({ id, outcome, scheduledAt, duration }: RunRecord): RecentRun | undefined {
  if (outcome === undefined || outcome === 'skipped' || outcome === 'missed') return undefined
  return { id, outcome, at: scheduledAt.toISOString(), ...given({ duration }) }
}

/** The jobs that may be seen, as they stand. */
export async function briefsOf(call: Call, jobs: readonly Job[]): Promise<JobBrief[]> {
  const { scheduler } = call
  const runs = await scheduler.history({ from: Date.now() - DAY_MS, limit: MAX_RUNS })
  const histories = await historiesOf(scheduler, jobs, runs)
  const now = Date.now()
  return jobs.map((job) => jobBrief(job, histories(job.name), now))
}

export async function listJobs(call: Call): Promise<Page<JobBrief>> {
  const query = queryOf(call, ['text', 'group', 'owner', 'state', 'before', 'limit'])
  const [text, group, owner] = [query.text('text')?.toLowerCase(), query.text('group'), query.text('owner')]
  const state = query.choice('state', ['paused', 'running', 'failing', 'overdue'])
  const [before, limit] = [query.text('before'), query.integer('limit', { most: 1_000, fallback: 200 })]
  const all = call.scheduler
    .jobs()
    .filter((job) => maySee(call, job.name))
    .filter(
      (job) => text === undefined || `${job.name}\n${job.description ?? ''}`.toLowerCase().includes(text),
    )
    .filter(
      (job) => (group === undefined || job.group === group) && (owner === undefined || job.owner === owner),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const briefs = await briefsOf(
    call,
    state === 'failing' || state === 'overdue' ? all : all.filter((job) => standsSo(job, state)),
  )
  const found = briefs.filter(
    (job) =>
      (state !== 'failing' || job.failing) &&
      (state !== 'overdue' || job.overdue !== undefined) &&
      (before === undefined || job.name > before),
  )
  const items = found.slice(0, limit)
  return { items, ...(found.length > limit && { next: items.at(-1)?.name as string }) }
}

function standsSo(job: Job, state: string | undefined): boolean {
  if (state === 'paused') return job.paused !== undefined
  return state === 'running' ? job.running > 0 : true
}

export async function readJob(call: Call): Promise<JobBody> {
  queryOf(call, [])
  const job = jobOf(call)
  const [brief] = await briefsOf(call, [job])
  const { missed, catchUpWindow, overlap, timeout, retry, onAbandoned, onLockUnavailable, spread, priority } =
    job.policies
  const policies = { missed, catchUpWindow, overlap, onAbandoned, onLockUnavailable, spread, priority }
  return {
    ...(brief as JobBrief),
    follows: (job.trigger.follows ?? []).map((follow) => ({ job: follow.job, on: follow.on })),
    followers: call.scheduler
      .jobs()
      .filter(
        ({ name, trigger }) =>
          maySee(call, name) && trigger.follows?.some((follow) => follow.job === job.name),
      )
      .map(({ name }) => name),
    policies: { ...policies, ...given({ timeout, retries: retry?.retries }) },
    ...given({ inputSchema: jsonSchemaOf(job.policies.schema) }),
  }
}

/** Standard Schema has a JSON Schema of its own where the library gives it. */
function jsonSchemaOf(schema: unknown): unknown {
  try {
    const standard = (schema as { '~standard'?: { jsonSchema?: { input?(options: object): unknown } } })?.[
      '~standard'
    ]
    return standard?.jsonSchema?.input?.({ target: 'draft-2020-12' })
  } catch {
    return undefined
  }
}

export function readUpcoming(call: Call): Page<UpcomingBody> {
  const query = queryOf(call, ['from', 'until', 'limit'])
  const { trigger, name } = jobOf(call)
  const [from, until] = [query.instant('from'), query.instant('until')]
  const timezone = call.scheduler.timezone
  const ticks = upcoming(trigger, {
    timezone,
    seed: name,
    count: query.limit(),
    ...given({ from, until }),
  })
  return { items: [...ticks].map((tick) => ({ job: name, ...tickBody(tick) })) }
}

/** A coming tick, with what a change of the clocks does to it. */
export function tickBody({ at, local, notes }: Upcoming): Omit<UpcomingBody, 'job'> {
  const note = notes.map(({ text }) => text).join('; ')
  return { at: at.toISOString(), local, notes: [...notes], ...(note !== '' && { note }) }
}
