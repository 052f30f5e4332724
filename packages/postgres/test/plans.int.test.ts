import type { RunQuery } from '@escapement/core'
import { selectRuns } from '@escapement/sql-fleet'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SELECTED } from '../src/rows.ts'
import { numbered } from '../src/sql.ts'
import { openStore } from './open-store.ts'
import { type Server, startServer } from './server.ts'

const RUNS = 200_000
const BASE = Date.parse('2026-11-20T00:00:00Z')

let server: Server
let pool: pg.Pool
beforeAll(async () => {
  server = await startServer()
  pool = server.pool({ max: 2 })
  const { close } = await openStore(pool, 'plans')
  await close()
  // A run a second. Half are of job 0; failures and runs that were asked for are rare, and job 7 never fails.
  await pool.query(`
    INSERT INTO plans.runs (id, key, job, at, trigger, state, attempt, start, started, ended, instance, duration)
    SELECT left(t, 8) || '-' || right(t, 4) || '-7000-9000-' || lpad(to_hex(n), 12, '0'), 'k' || n, job, now(),
      CASE WHEN n % 5003 = 0 THEN 'manual' ELSE 'schedule' END,
      CASE WHEN n % 1009 = 0 AND job <> 'job 7' THEN 'failed' ELSE 'succeeded' END, 1, 1, now(), now(), 'web', 5
    FROM (SELECT n, lpad(to_hex(${BASE} + n * 1000::bigint), 12, '0') AS t,
      'job ' || CASE WHEN n % 2 = 0 THEN 0 ELSE n % 500 END AS job FROM generate_series(1, ${RUNS}) AS n) AS made`)
  await pool.query('ANALYZE plans.runs')
})
afterAll(() => server?.close())

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Rows Removed by Filter'?: number
  readonly 'Actual Rows': number
  readonly Plans?: readonly Plan[]
}

const ids = (n: number) => {
  const time = (BASE + n * 1000).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-9000-${n.toString(16).padStart(12, '0')}`
}

test.each<[string, RunQuery]>([
  ['the newest', {}],
  ['a page far back', { before: ids(50_000) }],
  ['the page before', { after: ids(50_000) }],
  ['a time range', { from: BASE + 1e8, until: BASE + 1.1e8 }],
  ['a job', { job: 'job 7' }],
  ['what failed', { outcome: 'failed' }],
  ['all failures', { outcome: ['failed', 'timed-out', 'abandoned', 'lease-lost'] }],
  ['what failed in a time range', { outcome: 'failed', from: BASE + 1e8, until: BASE + 1.1e8 }],
  ['failures of a job that never fails', { job: 'job 7', outcome: 'failed' }],
  ['failures of a busy job', { job: 'job 0', outcome: ['failed', 'timed-out'] }],
  ['what was asked for', { cause: ['manual', 'retry'] }],
  ['what waits or runs', { state: ['due', 'claimed', 'running', 'waiting-retry'] }],
  ['a run', { id: ids(4) }],
])('%s is read by an index', async (_, query) => {
  const { text, values } = selectRuns(SELECTED, 'strpos', { limit: 50, ...query })
  const sql = `EXPLAIN (ANALYZE, FORMAT JSON) ${numbered(text).replaceAll('$.', 'plans.')}`
  const { rows } = await pool.query(sql, [...values])
  const plan = (rows[0] as Record<'QUERY PLAN', [{ Plan: Plan }]>)['QUERY PLAN'][0].Plan
  const nodes: Plan[] = [plan]
  for (const node of nodes) nodes.push(...(node.Plans ?? []))
  expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan')
  const read = nodes.map((node) => node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0))
  expect(Math.max(...read), JSON.stringify(plan)).toBeLessThan(2_000)
})
