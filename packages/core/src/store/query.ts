import { EscapementError, show } from '../errors.ts'
import { CAUSES, OUTCOMES, STATES } from '../run/outcomes.ts'
import { type Recordable, toRecord } from '../run/record.ts'
import type { Clock, LogLine, RunQuery, RunRecord, RunStats, StatsQuery, Store } from '../types/index.ts'
import { answer } from '../util/time.ts'
import { checkKeys, fail, flag, integer, oneOf, text } from '../util/validate.ts'
import { share } from './histogram.ts'
import { matcher } from './matching.ts'

/** How long a store may take to answer, in ms. */
export const STORE_TIMEOUT_MS = 30_000

interface Source {
  readonly store: Store
  readonly clock: Clock
  /** The runs of this process that are under way. */
  readonly inFlight: Iterable<Recordable>
}

/**
 * The runs that a store has kept; and those under way in this process, where the store knows none.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_PLUGIN, ERR_ESCAPEMENT_UNAVAILABLE, and what the store throws
 */
export async function readRuns(source: Source, query: RunQuery | undefined): Promise<RunRecord[]> {
  const { store, clock } = source
  const parsed = parseQuery(query)
  const runs: unknown = await answer(clock, store.runs(parsed), STORE_TIMEOUT_MS, 'store.runs()')
  if (!Array.isArray(runs)) return refuse('store.runs()', 'an array', runs)
  const odd = runs.findIndex((run) => !isRecord(run))
  if (odd >= 0) return refuse('store.runs()', 'records of runs with an id, a job and a time', runs[odd])
  return store.begin ? runs : withRunsUnderWay(source, parsed, runs)
}

function withRunsUnderWay({ inFlight }: Source, query: RunQuery, runs: RunRecord[]): RunRecord[] {
  const { state, outcome, before, after, limit = 100 } = query
  // A query for ended runs, or for all, gets the history.
  if (outcome !== undefined || (state === undefined && query.id === undefined)) return runs
  const matches = matcher(query)
  const found = [...inFlight].filter(
    (run) => run.attempt > 0 && !(before && run.id >= before) && !(after && run.id <= after) && matches(run),
  )
  if (found.length === 0) return runs
  const all = [...found.map(toRecord), ...runs].sort((a, b) => (a.id < b.id ? 1 : -1))
  return after === undefined ? all.slice(0, limit) : all.slice(Math.max(0, all.length - limit))
}

/**
 * What was counted, and what is usual.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_PLUGIN, ERR_ESCAPEMENT_UNAVAILABLE, and what the store throws
 */
export async function readStats({ store, clock }: Source, query: StatsQuery): Promise<RunStats[]> {
  checkKeys(query, { from: 1, until: 1, step: 1, job: 1, perJob: 1 }, 'stats option')
  for (const key of ['from', 'until'] as const) instant(key, query[key])
  if (query.from === undefined) fail('from', 'a Date or ms', query.from)
  if (query.step !== undefined) oneOf('step', query.step, ['hour', 'day'])
  if (query.perJob !== undefined) flag('perJob', query.perJob)
  text('job', query.job)
  const counted: unknown = await answer(clock, store.stats?.(query) ?? [], STORE_TIMEOUT_MS, 'store.stats()')
  if (!Array.isArray(counted)) return refuse('store.stats()', 'an array', counted)
  return (counted as RunStats[]).map((counts) => ({
    ...counts,
    runs: Object.values(counts.durations).reduce((sum, count) => sum + count, 0),
    p50: share(counts.durations, 0.5),
    p95: share(counts.durations, 0.95),
  }))
}

/** The incidents that a store keeps. */
export async function readIncidents({
  store,
  clock,
}: Source): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const kept: unknown = await answer(
    clock,
    store.incidents?.load() ?? [],
    STORE_TIMEOUT_MS,
    'store.incidents.load()',
  )
  return Array.isArray(kept) ? kept : refuse('store.incidents.load()', 'an array', kept)
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
  return Array.isArray(lines) ? lines : refuse('store.logs()', 'an array', lines)
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

function refuse(what: string, expected: string, given: unknown): never {
  const message = `${what} must give ${expected}, but gave ${show(given)}`
  throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
}

/**
 * Checks what history is asked for.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
function parseQuery(query: RunQuery | undefined): RunQuery {
  if (query === undefined) return {}
  checkKeys(query, KNOWN, 'history option')
  for (const key of ['id', 'job', 'key', 'before', 'after', 'text'] as const) text(key, query[key])
  if ((query.text?.length ?? 0) > 200) fail('text', 'at most 200 characters', query.text)
  for (const [key, known] of LISTS) {
    const wanted = query[key]
    if (wanted === undefined) continue
    for (const one of Array.isArray(wanted) ? wanted : [wanted]) oneOf(key, one, known)
  }
  for (const key of ['from', 'until'] as const) instant(key, query[key])
  if (query.limit !== undefined) integer('limit', query.limit, 0)
  return query
}

const LISTS = [
  ['outcome', OUTCOMES],
  ['state', STATES],
  ['cause', CAUSES],
] as const

const KNOWN = {
  id: 1,
  job: 1,
  outcome: 1,
  state: 1,
  cause: 1,
  from: 1,
  until: 1,
  text: 1,
  key: 1,
  before: 1,
  after: 1,
  limit: 1,
} satisfies Record<keyof RunQuery, 1>

/** Checks an instant: a Date or ms. @throws ERR_ESCAPEMENT_OPTION */
export function instant(key: string, given: Date | number | undefined): void {
  if (given === undefined) return
  if (!(given instanceof Date || typeof given === 'number') || Number.isNaN(Number(given)))
    fail(key, 'a Date or ms', given)
}
