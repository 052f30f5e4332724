import type { Sql } from '../sql.ts'

/**
 * Erases what is kept of a run, or of a job with its counters, requests that wait and incidents. Gives how many runs. What is
 * under way is not a record yet. A pause is no record: it holds.
 */
export async function forget(
  sql: Sql,
  what: { readonly run: string } | { readonly job: string },
): Promise<number> {
  if ('run' in what) {
    return (await sql.rows('DELETE FROM $.runs WHERE id = ? AND ended IS NOT NULL RETURNING id', what.run))
      .length
  }
  const { job } = what
  await sql.rows('DELETE FROM $.counters WHERE job = ?', job)
  for (const { key, body } of await sql.rows('SELECT key, body FROM $.incidents')) {
    if (isOf(job, String(body))) await sql.rows('DELETE FROM $.incidents WHERE key = ?', String(key))
  }
  const text = "DELETE FROM $.runs WHERE job = ? AND (ended IS NOT NULL OR state = 'due') RETURNING id"
  return (await sql.rows(text, job)).length
}

function isOf(job: string, incident: string): boolean {
  return (JSON.parse(incident) as { job?: unknown }).job === job
}
