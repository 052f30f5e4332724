import type { Recordable } from '../run/record.ts'
import type { RunQuery } from '../types/index.ts'

/** Whether a run is among those that are asked for, by all but the cursors and the limit. */
export function matcher(query: RunQuery): (run: Recordable) => boolean {
  const tests: ((run: Recordable) => boolean)[] = []
  const { id, job, outcome, state, cause, key, text, from, until } = query
  if (id !== undefined) tests.push((run) => run.id === id)
  if (job !== undefined) tests.push((run) => run.job.name === job)
  if (key !== undefined) tests.push((run) => run.key === key)
  for (const [name, wanted] of [
    ['outcome', outcome],
    ['state', state],
    ['cause', cause],
  ] as const) {
    if (wanted === undefined) continue
    const all: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted]
    tests.push((run) => all.includes(run[name]))
  }
  if (from !== undefined) tests.push((run) => timeOf(run.id) >= Number(from))
  if (until !== undefined) tests.push((run) => timeOf(run.id) < Number(until))
  if (text !== undefined) tests.push((run) => includes(run, text.toLowerCase()))
  return (run) => tests.every((test) => test(run))
}

/** When a run was made, in ms: its id begins with it. */
export function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16) * 0x10000 + Number.parseInt(id.slice(9, 13), 16)
}

function includes(run: Recordable, text: string): boolean {
  if (run.job.name.toLowerCase().includes(text)) return true
  const error = run.errorRecords ? run.errorRecords.at(-1)?.message : undefined
  return (error ?? messageOf(run.error)).toLowerCase().includes(text)
}

function messageOf(error: unknown): string {
  try {
    return String((error as { message?: unknown } | undefined)?.message ?? '')
  } catch {
    return ''
  }
}
