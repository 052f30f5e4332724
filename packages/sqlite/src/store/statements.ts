const COLUMNS =
  'id, key, job, at, trigger, state, reason, attempt, start, started, ended, until, errors, trace, fence, instance, owner, late, duration, facts, lines, search'
// Not the lines: they are read when they are asked for.
export const SELECTED: string = COLUMNS.replace(', lines, search', ', ticks')
const INSERT = `INSERT INTO runs (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, '?')})`
// The end of a run counts only while nobody has ended it or taken its tick over under a higher fence.
export const RECORD: string = `${INSERT} ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
  attempt = max(excluded.attempt, attempt), ended = excluded.ended, errors = coalesce(excluded.errors, errors),
  trace = coalesce(excluded.trace, trace), started = coalesce(excluded.started, started),
  duration = excluded.duration, late = excluded.late, facts = coalesce(excluded.facts, facts),
  lines = coalesce(excluded.lines, lines), search = excluded.search, instance = excluded.instance,
  fence = coalesce(excluded.fence, fence), input = NULL
  WHERE runs.ended IS NULL AND (coalesce(runs.fence, 0) = coalesce(excluded.fence, 0) OR runs.state = 'due')`
// The run of a request takes over the row of the request.
export const BEGIN: string = `${INSERT} ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempt = excluded.attempt,
  started = excluded.started, late = excluded.late, fence = excluded.fence, instance = excluded.instance,
  owner = excluded.owner, facts = coalesce(excluded.facts, facts) WHERE runs.state = 'due'`
// Ticks in a row that are skipped for one reason are one record.
export const LAST: string =
  'SELECT id, state, reason, coalesce(until, at) AS last FROM runs WHERE job = ? ORDER BY id DESC LIMIT 1'
export const MERGE: string =
  'UPDATE runs SET until = ?, ended = ?, ticks = coalesce(ticks, 1) + 1 WHERE id = ?'
