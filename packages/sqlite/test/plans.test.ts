import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunQuery } from '@escapement/core'
import { selectRuns } from '@escapement/sql-fleet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database } from '../src/file/driver.ts'
import { open } from '../src/file/open.ts'
import { SELECTED } from '../src/store/statements.ts'
import { inFile } from '../src/writer/sql.ts'

let folder: string
let db: Database
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  db = open(join(folder, 'jobs.db'))
})
afterAll(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

test.each<[string, RunQuery, string]>([
  ['the newest', {}, 'SCAN runs'],
  ['a page far back', { before: 'x' }, 'SEARCH runs USING PRIMARY KEY (id<?)'],
  ['the page before', { after: 'x' }, 'SEARCH runs USING PRIMARY KEY (id>?)'],
  ['a time range', { from: 1, until: 2 }, 'SEARCH runs USING PRIMARY KEY (id>? AND id<?)'],
  ['a job', { job: 'a' }, 'runs_job (job=?)'],
  ['what failed', { outcome: 'failed' }, 'runs_state (state=?)'],
  ['failures of a job', { job: 'a', outcome: ['failed', 'timed-out'] }, 'runs_failed (job=?)'],
  ['what was asked for', { cause: 'manual' }, 'runs_cause (trigger=?)'],
  ['what waits', { state: 'due' }, 'runs_state (state=?)'],
  ['a run', { id: 'x' }, 'SEARCH runs USING PRIMARY KEY (id=?)'],
])('%s is read by an index, in its order', (_, query, expected) => {
  const { text, values } = selectRuns(SELECTED, 'instr', query)
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${inFile(text)}`).all(...values) as { detail: string }[]
  // The table is in the order of its ids.
  expect(steps.map(({ detail }) => detail)).toEqual([expect.stringContaining(expected)])
})
