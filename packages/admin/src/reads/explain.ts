import { explain, type Job, type RunRecord, type Scheduler } from '@escapement/core'
import { type Call, queryOf } from '../call.ts'
import { bad, given } from '../query.ts'
import type { ExplainBody } from '../types.ts'
import { briefOf } from './brief.ts'
import { jobOf } from './jobs.ts'

const HOUR_MS = 3_600_000
const MAX_RUNS = 50

type Reason = ExplainBody['reasons'][number]

/** Why a job did, or did not, run at an instant: of its schedule, its pauses, its history, and the instances. */
export async function readExplain(call: Call): Promise<ExplainBody> {
  const { scheduler } = call
  const at = queryOf(call, ['at']).instant('at') ?? bad('at', 'given: an instant in ISO 8601')
  const job = jobOf(call)
  const { reasons, fires, local, next } = explain(job.trigger, at, {
    timezone: scheduler.timezone,
    seed: job.name,
  })
  const around = { from: new Date(at.getTime() - HOUR_MS), until: new Date(at.getTime() + 24 * HOUR_MS) }
  const runs = await scheduler.history({ job: job.name, ...around, limit: MAX_RUNS })
  const exact = runs.filter(
    (run) =>
      run.scheduledAt.getTime() <= at.getTime() && at.getTime() <= (run.until ?? run.scheduledAt).getTime(),
  )
  const found: Reason[] = reasons.map((text) => ({ kind: 'schedule', text }))
  found.push(...(await pauseReasons(scheduler, job, at)))
  if (job.policies.blackout?.includes(at))
    found.push({ kind: 'blackout', text: 'the instant is in the blackout of the job' })
  found.push(...exact.map(runReason))
  if (fires && exact.length === 0) found.push({ kind: 'history', text: unknownText(scheduler, at) })
  found.push(...(await fleetReasons(scheduler, around)))
  return {
    at: at.toISOString(),
    local,
    fires,
    answer: answerOf(job.name, { at, fires, exact }),
    reasons: found,
    runs: (exact.length > 0 ? exact : runs.slice(-10)).map(briefOf),
    ...given({ next: next?.toISOString() }),
  }
}

function answerOf(
  job: string,
  { at, fires, exact }: { at: Date; fires: boolean; exact: readonly RunRecord[] },
): string {
  const when = at.toISOString()
  const [run] = exact
  if (run?.startedAt) return `${job} ran: its run ${run.outcome ?? 'is under way'}`
  if (run)
    return `${job} did not run at ${when}: its tick was ${run.outcome ?? run.state}${run.reason === undefined ? '' : ` (${run.reason})`}`
  if (!fires) return `${job} is not due at ${when}`
  return at.getTime() > Date.now()
    ? `${job} is due at ${when}`
    : `${job} was due at ${when}, and no run of it is on record`
}

/** The pause that was in force then, as the audit has it. */
async function pauseReasons(scheduler: Scheduler, job: Job, at: Date): Promise<Reason[]> {
  const audit = await scheduler.audit({ until: at, limit: 200 })
  const concerns = (name: string | undefined) => name === undefined || name === job.name
  const last = audit.find(({ job: name, action }) => concerns(name) && /^(paused|resumed)$/.test(action))
  if (last?.action !== 'paused') return []
  const by = last.by === undefined ? '' : ` by ${last.by}`
  const reason = last.reason === undefined ? '' : `: ${last.reason}`
  return [
    {
      kind: 'pause',
      text: `${last.job ?? 'all jobs'} had been paused at ${last.at.toISOString()}${by}${reason}`,
    },
  ]
}

function runReason(run: RunRecord): Reason {
  const reason = run.reason === undefined ? '' : ` (${run.reason})`
  const began = run.startedAt === undefined ? '' : `, and began at ${run.startedAt.toISOString()}`
  return {
    kind: 'history',
    text: `its tick: ${run.outcome ?? run.state}${reason}, on ${run.instance}${began}`,
  }
}

function unknownText(scheduler: Scheduler, at: Date): string {
  if (at.getTime() > Date.now()) return 'the tick is to come'
  return scheduler.scope.durable
    ? 'no run of this tick is on record: it is not kept any more, or no instance was there and none caught it up'
    : 'no run of this tick is on record: without a durable store this process knows its own runs only'
}

async function fleetReasons(scheduler: Scheduler, around: { from: Date; until: Date }): Promise<Reason[]> {
  const events = await scheduler.fleetEvents({ ...around, limit: MAX_RUNS })
  return events
    .toReversed()
    .slice(0, 10)
    .map(({ at, instance, kind, note }) => {
      const more = note === undefined ? '' : `: ${note}`
      return { kind: 'fleet', text: `${at.toISOString()} ${instance} ${kind}${more}` }
    })
}
