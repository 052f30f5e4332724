import type { Cause, Outcome, RunQuery, RunRecord, State } from '@escapement/core'
import { CAUSES, OUTCOMES, STATES } from '@escapement/core/plugin'
import { type Call, maySee, queryOf } from '../call.ts'
import type { Hidden } from '../options.ts'
import { Refusal } from '../problem.ts'
import { given, type Query } from '../query.ts'
import type { LogBody, Page, RunBody } from '../types.ts'
import { plain } from './brief.ts'

export const RUN_FILTERS: readonly string[] = [
  'job',
  'outcome',
  'state',
  'cause',
  'from',
  'until',
  'text',
  'key',
]

/** The filters of a list of runs. */
export function filtersOf(query: Query): RunQuery {
  return given({
    job: query.text('job'),
    outcome: query.list('outcome', OUTCOMES) as Outcome[] | undefined,
    state: query.list('state', STATES) as State[] | undefined,
    cause: query.list('cause', CAUSES) as Cause[] | undefined,
    from: query.instant('from'),
    until: query.instant('until'),
    text: query.text('text'),
    key: query.text('key', 300),
  }) as RunQuery
}

export async function listRuns(call: Call): Promise<Page<RunBody>> {
  const query = queryOf(call, [...RUN_FILTERS, 'before', 'after', 'limit'])
  const limit = query.limit()
  const [before, after] = [query.text('before'), query.text('after')]
  // One more tells whether there is another page.
  const runs = await call.scheduler.history({
    ...filtersOf(query),
    ...given({ before, after }),
    limit: limit + 1,
  })
  const more = runs.length > limit
  const page = after === undefined ? runs.slice(0, limit) : runs.slice(more ? 1 : 0)
  const older = after === undefined ? more : page.length > 0
  const newer = after === undefined ? before !== undefined && page.length > 0 : more
  return {
    items: page.filter(({ job }) => maySee(call, job)).map((run) => shown(call, run)),
    ...(older && { next: page.at(-1)?.id as string }),
    ...(newer && { previous: page[0]?.id as string }),
  }
}

/** The run of the path. @throws Refusal */
export async function runOf(call: Call): Promise<RunRecord> {
  const { id = '' } = call.params
  const run = await call.scheduler.find(id)
  if (run && maySee(call, run.job)) return run
  throw new Refusal(
    404,
    'ERR_ESCAPEMENT_RUN_UNKNOWN',
    `there is no run ${JSON.stringify(id)}, or it is not kept any more`,
  )
}

export async function readRun(call: Call): Promise<RunBody> {
  queryOf(call, [])
  return shown(call, await runOf(call))
}

export async function readLogs(call: Call): Promise<Page<LogBody>> {
  const query = queryOf(call, ['level', 'text', 'after'])
  const levels = query.list('level', ['debug', 'info', 'warn', 'error'])
  const [text, after] = [
    query.text('text')?.toLowerCase(),
    query.integer('after', { most: 1_000, fallback: 0 }),
  ]
  const { id } = await runOf(call)
  if (hiddenFor(call).includes('logs')) return { items: [] }
  const lines = (await call.scheduler.logs(id)).slice(after)
  const found = lines.filter(
    ({ level, message }) =>
      (levels?.includes(level) ?? true) && (text === undefined || message.toLowerCase().includes(text)),
  )
  return { items: found.map((line) => plain(line)), next: String(after + lines.length) }
}

function hiddenFor({ identity, settings }: Call): readonly Hidden[] {
  return identity.role === 'operator' ? [] : settings.hide
}

function shown(call: Call, run: RunRecord): RunBody {
  const hidden = hiddenFor(call)
  const { data, result, ...rest } = run
  return plain({
    ...rest,
    data: hidden.includes('data') ? undefined : data,
    result: hidden.includes('result') ? undefined : result,
    traceUrl: traceUrlOf(call, run.traceId),
  }) as RunBody
}

/** A function of the user that throws costs the link. */
function traceUrlOf({ settings }: Call, traceId: string | undefined): string | undefined {
  if (traceId === undefined) return undefined
  try {
    return settings.traceUrl?.(traceId)
  } catch {
    return undefined
  }
}
