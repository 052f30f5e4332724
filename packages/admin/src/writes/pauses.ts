import type { PauseOptions } from '@escapement/core'
import { type Call, fieldsOf } from '../call.ts'
import { HEADERS, Refusal } from '../problem.ts'
import { given } from '../query.ts'
import { jobOf } from '../reads/jobs.ts'
import { askedBy } from './runs.ts'

const DONE = { status: 204, headers: HEADERS }

/** Pauses the job of the path. */
export async function pauseJob(call: Call): Promise<Response> {
  const { name } = jobOf(call)
  await call.scheduler.pause(name, await pauseOf(call))
  return new Response(null, DONE)
}

export async function resumeJob(call: Call): Promise<Response> {
  const { name } = jobOf(call)
  await call.scheduler.resume(name, await askedBy(call))
  return new Response(null, DONE)
}

export async function pauseAll(call: Call): Promise<Response> {
  mustSeeAll(call)
  await call.scheduler.pause(undefined, await pauseOf(call))
  return new Response(null, DONE)
}

export async function resumeAll(call: Call): Promise<Response> {
  mustSeeAll(call)
  await call.scheduler.resume(undefined, await askedBy(call))
  return new Response(null, DONE)
}

async function pauseOf(call: Call): Promise<PauseOptions> {
  const { reason, until, for: length } = await fieldsOf(call, ['reason', 'until', 'for'])
  return { by: call.identity.actor, ...given({ reason, until, for: length }) } as PauseOptions
}

function mustSeeAll({ identity }: Call): void {
  if (identity.jobs)
    throw new Refusal(403, 'NOT_ALLOWED', 'all jobs are paused and resumed by those that see all jobs')
}
