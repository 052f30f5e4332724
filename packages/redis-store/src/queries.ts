import type { RunQuery, RunRecord, State } from '@escapement/core'
import { hasEnded } from '@escapement/core/plugin'
import { firstId, recordOf } from './rows.ts'
import { QUERY } from './scripts/index.ts'
import type { Writer } from './writer.ts'

/** How many runs one call looks at: Redis serves others between two calls. */
const LOOKED = 500

interface Look {
  readonly index: string
  readonly query: RunQuery
  readonly tests: string
  readonly limit: number
}

/**
 * Reads runs, newest first.
 *
 * @param onGone Runs are in an index, and are not there: Redis has evicted them.
 */
export async function readRuns(
  writer: Writer,
  query: RunQuery,
  onGone: (count: number) => void,
): Promise<RunRecord[]> {
  const { limit = 100, after } = query
  if (limit === 0) return []
  const tests = JSON.stringify(testsOf(query))
  const found: RunRecord[] = []
  for (const index of indexesOf(query)) {
    found.push(...(await readIndex(writer, { index, query, tests, limit }, onGone)))
  }
  found.sort((a, b) => (a.id < b.id ? 1 : -1))
  return after === undefined ? found.slice(0, limit) : found.slice(Math.max(0, found.length - limit))
}

async function readIndex(
  writer: Writer,
  { index, query, tests, limit }: Look,
  onGone: (count: number) => void,
): Promise<RunRecord[]> {
  const rising = query.after !== undefined
  const [lowest, highest] = boundsOf(query)
  let first = rising ? lowest : highest
  const last = rising ? highest : lowest
  if (index === 'id') first = query.id ?? ''
  if (index === 'key') first = query.key ?? ''
  const found: RunRecord[] = []
  for (;;) {
    const args = [index, first, last, rising ? '1' : '', limit - found.length, LOOKED, tests]
    const [next, gone, ...rows] = (await writer.ask(QUERY, args)) as [string, number, ...string[]]
    if (gone > 0) onGone(gone)
    for (let i = 0; i < rows.length; i += 2) found.push(recordOf(rows[i] as string, rows[i + 1] as string))
    if (next === '') return found
    first = `(${next}`
  }
}

/** The index that has the fewest runs which are not wanted. */
function indexesOf({ id, key, job, state, outcome }: RunQuery): string[] {
  if (id !== undefined) return ['id']
  if (key !== undefined) return ['key']
  const states = listOf(state)
  if (outcome === undefined && states?.every((one) => !hasEnded(one))) return ['open']
  return job === undefined ? ['runs'] : [`wait:${job}`, `ran:${job}`, `not:${job}`]
}

/** Bounds of ids in the words of ZRANGEBYLEX. */
function boundsOf({ from, until, before, after }: RunQuery): [lowest: string, highest: string] {
  const low = from === undefined ? '' : firstId(Number(from))
  const high = [until === undefined ? undefined : firstId(Number(until)), before]
    .filter((one) => one !== undefined)
    .toSorted()[0]
  const lowest = after !== undefined && after >= low ? `(${after}` : low === '' ? '-' : `[${low}`
  return [lowest, high === undefined ? '+' : `(${high}`]
}

function testsOf({ id, key, job, outcome, state, cause, from, until, text, before, after }: RunQuery) {
  const states = [listOf(outcome), listOf(state)].filter((list) => list !== undefined)
  const wanted = states.length === 2 ? states[0]?.filter((one) => states[1]?.includes(one)) : states[0]
  const upTo = [until === undefined ? undefined : firstId(Number(until)), before].filter(
    (one) => one !== undefined,
  )
  return {
    id,
    key,
    job,
    text: text?.toLowerCase(),
    states: wanted && setOf(wanted),
    causes: cause === undefined ? undefined : setOf(listOf(cause) ?? []),
    from: from === undefined ? undefined : firstId(Number(from)),
    to: upTo.toSorted()[0],
    after,
  }
}

function listOf<T extends string = State>(given: T | readonly T[] | undefined): readonly T[] | undefined {
  if (given === undefined) return undefined
  return typeof given === 'string' ? [given as T] : (given as readonly T[])
}

function setOf(texts: readonly string[]): Record<string, true> {
  // An empty object would be an empty array in Lua, which is the same there.
  return Object.fromEntries(texts.map((text) => [text, true as const]))
}
