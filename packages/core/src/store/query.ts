import { OUTCOMES, STATES } from '../run/outcomes.ts'
import type { RunQuery } from '../types/index.ts'
import { checkKeys, integer, oneOf, text } from '../util/validate.ts'

/**
 * Checks what history is asked for.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function parseQuery(query: RunQuery | undefined): RunQuery {
  if (query === undefined) return {}
  checkKeys(query, { job: 1, outcome: 1, state: 1, key: 1, before: 1, limit: 1 }, 'history option')
  for (const key of ['job', 'key', 'before'] as const) text(key, query[key])
  if (query.outcome !== undefined) oneOf('outcome', query.outcome, OUTCOMES)
  if (query.state !== undefined) oneOf('state', query.state, STATES)
  if (query.limit !== undefined) integer('limit', query.limit, 0)
  return query
}
