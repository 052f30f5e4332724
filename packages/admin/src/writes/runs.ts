import type { RunOptions, RunRecord } from '@escapement/core'
import { hasEnded } from '@escapement/core/plugin'
import { bodyOf, type Call, fieldsOf, maySee, queryOf } from '../call.ts'
import { HEADERS, Refusal } from '../problem.ts'
import { given } from '../query.ts'
import { jobOf } from '../reads/jobs.ts'
import { filtersOf, RUN_FILTERS, runOf } from '../reads/runs.ts'
import type { AcceptedBody, ManyBody } from '../types.ts'

/** The most runs of one request about many. */
const MAX_RUNS = 100

/** Asks for a run. The body is its data. */
export async function askForRun(call: Call): Promise<Response> {
  const query = queryOf(call, ['at', 'in', 'expires', 'reason'])
  const { name } = jobOf(call)
  const key = keyOf(call)
  const options: RunOptions = given({
    key,
    at: query.instant('at'),
    in: query.text('in'),
    expires: query.text('expires'),
    by: call.identity.actor,
    reason: query.text('reason', 1_000),
  }) as RunOptions
  return accepted(call, await call.scheduler.run(name, await bodyOf(call), options))
}

export async function cancelRun(call: Call): Promise<Response> {
  const { id } = await runOf(call)
  await call.scheduler.cancel(id, await askedBy(call))
  return new Response(null, { status: 204, headers: HEADERS })
}

export async function retryRun(call: Call): Promise<Response> {
  const { id } = await runOf(call)
  return accepted(
    call,
    await call.scheduler.retry(id, { ...(await askedBy(call)), ...given({ key: keyOf(call) }) }),
  )
}

/** Cancels, or runs again, the runs of a filter. */
export function many(what: 'cancel' | 'retry'): (call: Call) => Promise<ManyBody> {
  return async (call) => {
    const query = queryOf(call, [...RUN_FILTERS, 'dryRun'])
    const dryRun = query.choice('dryRun', ['true', 'false']) === 'true'
    const filters = filtersOf(query)
    if (Object.keys(filters).length === 0)
      throw new Refusal(422, 'NO_FILTER', 'a request about many runs needs a filter')
    const found = await call.scheduler.history({ ...filters, limit: MAX_RUNS + 1 })
    const fit = found.filter((run) => maySee(call, run.job) && hasEnded(run.state) === (what === 'retry'))
    const runs = fit.slice(0, MAX_RUNS)
    const asked = await askedBy(call)
    const done: ManyBody['runs'][number][] = []
    for (const run of runs)
      done.push(dryRun ? { id: run.id, job: run.job } : await one(call, what, run, asked))
    return { dryRun, runs: done, more: found.length > MAX_RUNS }
  }
}

async function one(
  { scheduler }: Call,
  what: 'cancel' | 'retry',
  { id, job }: RunRecord,
  asked: { by: string; reason?: string },
): Promise<ManyBody['runs'][number]> {
  try {
    if (what === 'cancel') await scheduler.cancel(id, asked)
    const done = what === 'cancel' ? id : (await scheduler.retry(id, asked)).id
    return { id, job, done }
  } catch (error) {
    return { id, job, refused: (error as Error).message }
  }
}

/** The person that asks, and the reason in the body. */
export async function askedBy(call: Call): Promise<{ by: string; reason?: string }> {
  const { reason } = await fieldsOf(call, ['reason'])
  if (reason !== undefined && (typeof reason !== 'string' || reason.length > 1_000))
    throw new Refusal(422, 'BAD_BODY', 'reason must be a text of at most 1,000 characters')
  return { by: call.identity.actor, ...given({ reason }) }
}

function keyOf({ request }: Call): string | undefined {
  const key = request.headers.get('idempotency-key') ?? undefined
  if (key !== undefined && (key === '' || key.length > 200))
    throw new Refusal(400, 'BAD_KEY', 'the header idempotency-key must have 1 to 200 characters')
  return key
}

/** Its run can be looked at under the same prefix. */
function accepted({ url }: Call, { id, job, durable }: AcceptedBody): Response {
  const prefix = url.pathname.slice(0, url.pathname.indexOf('/api/v1/'))
  const body: AcceptedBody = { id, job, durable }
  const headers = { ...HEADERS, location: `${prefix}/api/v1/runs/${id}` }
  return Response.json(body, { status: 202, headers })
}
