import type { RunQuery } from '@escapement/core'
import { places, type Statement, Where } from '../sql.ts'
import { firstId } from './rows.ts'

const FAILURES = ['failed', 'timed-out', 'abandoned', 'lease-lost']
/** Failures, in the words of their index. */
export const FAILED: string = `state IN (${FAILURES.map((state) => `'${state}'`).join(', ')})`

/**
 * The statement of a query for runs.
 *
 * @param columns What is selected.
 * @param position The function that tells where a text begins in another: 0 when it does not.
 */
export function selectRuns(columns: string, position: 'instr' | 'strpos', query: RunQuery): Statement {
  const { id, job, outcome, state, cause, from, until, text, key, before, after, limit = 100 } = query
  const where = new Where()
  const among = (column: string, wanted: string | readonly string[] | undefined) => {
    if (wanted === undefined) return
    const all = typeof wanted === 'string' ? [wanted] : wanted
    // Nothing is among none.
    where.all(all.length === 0 ? '1 = 0' : `${column} IN (${places(all)})`, all)
    // Said of what is rare in the words of its index.
    if (column === 'state' && all.every((one) => FAILURES.includes(one))) where.all(FAILED, [])
    if (column === 'trigger' && !all.includes('schedule')) where.all("trigger <> 'schedule'", [])
  }
  where.add('id = ?', id)
  where.add('job = ?', job)
  among('state', outcome)
  among('state', state)
  among('trigger', cause)
  where.add('key = ?', key)
  where.add('id >= ?', from === undefined ? undefined : firstId(Number(from)))
  where.add('id < ?', until === undefined ? undefined : firstId(Number(until)))
  where.add('id < ?', before)
  where.add('id > ?', after)
  where.add(`${position}(coalesce(search, lower(job)), ?) > 0`, text?.toLowerCase())
  const order = after === undefined ? 'DESC' : 'ASC'
  return {
    text: `SELECT ${columns} FROM $.runs ${where.text} ORDER BY id ${order} LIMIT ?`,
    values: [...where.values, limit],
  }
}

/** In what a text is looked for. */
export function searchText(job: string, message: string | undefined): string {
  return `${job}\n${message ?? ''}`.toLowerCase().replaceAll('\0', '\ufffd')
}
