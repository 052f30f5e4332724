import { EscapementError, show } from '../errors.ts'
import { OUTCOMES, STATES } from '../run/outcomes.ts'
import type { Clock, LogLine, Run, RunQuery, RunRecord, Store } from '../types/index.ts'
import { answer } from '../util/time.ts'
import { checkKeys, fail, integer, oneOf, text } from '../util/validate.ts'

/** How long a store may take to answer, in ms. */
export const STORE_TIMEOUT_MS = 30_000

interface Source {
  readonly store: Store
  readonly clock: Clock
  /** The runs of this process that are under way. */
  readonly inFlight: Iterable<Pick<Run, 'id' | 'logLines'>>
}

/**
 * The runs that a store has kept.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_PLUGIN, ERR_ESCAPEMENT_UNAVAILABLE, and what the store throws
 */
export async function readRuns({ store, clock }: Source, query: RunQuery | undefined): Promise<RunRecord[]> {
  const runs: unknown = await answer(clock, store.runs(parseQuery(query)), STORE_TIMEOUT_MS, 'store.runs()')
  if (!Array.isArray(runs)) return refuse('an array', runs)
  const odd = runs.findIndex((run) => !isRecord(run))
  return odd < 0 ? runs : refuse('records of runs with an id, a job and a time', runs[odd])
}

/**
 * The lines that a run has written with `run.log`.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_PLUGIN, ERR_ESCAPEMENT_UNAVAILABLE, and what the store throws
 */
export async function readLogs({ store, clock, inFlight }: Source, run: string): Promise<readonly LogLine[]> {
  if (typeof run !== 'string') fail('run', 'the id of a run', run)
  for (const { id, logLines } of inFlight) if (id === run) return [...logLines]
  const lines: unknown = await answer(clock, store.logs?.(run) ?? [], STORE_TIMEOUT_MS, 'store.logs()')
  if (Array.isArray(lines)) return lines
  const message = `store.logs() must give an array, but gave ${show(lines)}`
  throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
}

function isRecord(run: unknown): boolean {
  try {
    const { id, job, scheduledAt } = run as RunRecord
    return typeof id === 'string' && typeof job === 'string' && !Number.isNaN(new Date(scheduledAt).getTime())
  } catch {
    // Nothing, or a Proxy that throws.
    return false
  }
}

function refuse(expected: string, given: unknown): never {
  const message = `store.runs() must give ${expected}, but gave ${show(given)}`
  throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
}

/**
 * Checks what history is asked for.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
function parseQuery(query: RunQuery | undefined): RunQuery {
  if (query === undefined) return {}
  checkKeys(query, { job: 1, outcome: 1, state: 1, key: 1, before: 1, limit: 1 }, 'history option')
  for (const key of ['job', 'key', 'before'] as const) text(key, query[key])
  if (query.outcome !== undefined) oneOf('outcome', query.outcome, OUTCOMES)
  if (query.state !== undefined) oneOf('state', query.state, STATES)
  if (query.limit !== undefined) integer('limit', query.limit, 0)
  return query
}
