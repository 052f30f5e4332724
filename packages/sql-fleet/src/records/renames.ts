import type { Enrolled } from '@escapement/core'
import type { Statement } from '../sql.ts'
import { searchText } from './queries.ts'

/** A job that had another name before. */
export interface Rename {
  readonly from: string
  readonly to: string
}

/** The jobs whose former names nothing else has now. What an instance of the version before still writes is moved at the next start. */
export function renamesOf(jobs: readonly Enrolled[]): Rename[] {
  const names = new Set(jobs.map(({ name }) => name))
  return jobs.flatMap(({ name, formerly }) =>
    formerly === undefined || names.has(formerly) ? [] : [{ from: formerly, to: name }],
  )
}

/** Whether anything is kept under the former name. */
export function isKept({ from }: Rename): Statement {
  const text =
    'SELECT 1 AS found FROM $.jobs WHERE name = ? UNION ALL SELECT 1 FROM $.runs WHERE job = ? LIMIT 1'
  return { text, values: [from, from] }
}

/**
 * Moves what is kept under the former name, but for the counters: history, requests that wait, pause and watermark. It may be
 * done twice. The watermark goes last: a crash before leaves all to the next start.
 */
export function moveStatements({ from, to }: Rename): Statement[] {
  const [before, now] = [searchText(from, undefined), searchText(to, undefined)]
  const statement = (text: string, ...values: string[]): Statement => ({ text, values })
  return [
    // A key of the job of now stands for its own request.
    statement(
      `UPDATE $.runs SET ask_key = NULL WHERE job = ? AND ask_key IN
        (SELECT ask_key FROM $.runs WHERE job = ? AND ask_key IS NOT NULL)`,
      from,
      to,
    ),
    statement(
      'UPDATE $.runs SET job = ?, search = CAST(? AS text) || substr(search, length(CAST(? AS text)) + 1) WHERE job = ?',
      ...[to, now, before, from],
    ),
    statement(
      'UPDATE $.pauses SET job = ? WHERE job = ? AND NOT EXISTS (SELECT 1 FROM $.pauses WHERE job = ?)',
      ...[to, from, to],
    ),
    statement('DELETE FROM $.pauses WHERE job = ?', from),
    statement('UPDATE $.news SET version = version + 1'),
    statement(
      'UPDATE $.jobs SET name = ? WHERE name = ? AND NOT EXISTS (SELECT 1 FROM $.jobs WHERE name = ?)',
      ...[to, from, to],
    ),
    statement('DELETE FROM $.jobs WHERE name = ?', from),
  ]
}
