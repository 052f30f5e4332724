import { readTime, UsageError } from '../settings.ts'
import { type Ask, ask } from './client.ts'
import { instant, span, table } from './table.ts'
import type { Command, Given, JobRow, PageOf, RunRow, Work } from './types.ts'

/** The most entries of a list. */
const MAX_ENTRIES = 10_000
const PAGE = 500

/** Jobs with their next tick and how they stand. */
export const listJobs: Command = async (work) => {
  const { given, output } = work
  const { text, group, owner, state } = given
  const most = countOf(given, MAX_ENTRIES)
  const jobs = await collect<JobRow>(work, { path: 'jobs', query: { text, group, owner, state }, most })
  if (given.json) output.out(JSON.stringify(jobs, undefined, 2))
  else {
    const rows = jobs.map((job) => [
      job.name,
      standingOf(job),
      job.last ? `${job.last.outcome} ${instant(job.last.at)}` : '-',
      instant(job.next),
      job.schedule ?? '-',
    ])
    for (const line of table(['JOB', 'STATE', 'LAST', 'NEXT', 'SCHEDULE'], rows)) output.out(line)
  }
  return 0
}

/** The newest runs of a filter. */
export const listRuns: Command = async (work) => {
  const { given, output } = work
  const { job, outcome, state, cause, text } = given
  const query = {
    job,
    outcome,
    state,
    cause,
    text,
    from: timeOf(given, 'from'),
    until: timeOf(given, 'until'),
  }
  const runs = await collect<RunRow>(work, { path: 'runs', query, most: countOf(given, 20) })
  if (given.json) output.out(JSON.stringify(runs, undefined, 2))
  else {
    const rows = runs.map((run) => [
      instant(run.scheduledAt),
      run.job,
      `${run.outcome ?? run.state}${run.count && run.count > 1 ? ` ×${run.count}` : ''}`,
      run.duration === undefined ? '-' : span(run.duration),
      run.id,
      run.error?.message?.split('\n')[0] ?? run.reason ?? '',
    ])
    for (const line of table(['DUE', 'JOB', 'OUTCOME', 'TOOK', 'RUN', 'WHY'], rows)) output.out(line)
  }
  return 0
}

function standingOf({ paused, running, failing, overdue }: JobRow): string {
  const all = [
    paused && (paused.until === undefined ? 'paused' : `paused until ${instant(paused.until)}`),
    running > 0 && `running ${running}`,
    failing && 'failing',
    overdue && 'overdue',
  ]
  return all.filter(Boolean).join(', ') || 'well'
}

/** The pages of a list, up to `most` entries. */
async function collect<T>(
  { server }: Work,
  { path, query, most }: { path: string; query: NonNullable<Ask['query']>; most: number },
): Promise<T[]> {
  const all: T[] = []
  let before: string | undefined
  do {
    const limit = String(Math.min(PAGE, most - all.length))
    const page = await ask<PageOf<T>>(server, path, { query: { ...query, limit, before } })
    all.push(...page.items)
    before = page.next
  } while (before !== undefined && all.length < most)
  return all
}

/** An option that is a time, as the API takes it. */
export function timeOf(given: Given, name: 'from' | 'until' | 'at'): string | undefined {
  const text = given[name]
  return text === undefined ? undefined : readTime(text, `--${name}`, given.tz).toISOString()
}

function countOf({ n }: Given, fallback: number): number {
  const count = n === undefined ? fallback : Number(n)
  if (Number.isInteger(count) && count >= 1 && count <= MAX_ENTRIES) return count
  throw new UsageError(`-n: expected a whole number from 1 to ${MAX_ENTRIES}, got ${JSON.stringify(n)}`)
}
