import type { Sql } from './sql.ts'

/** Erases what is kept of a run, or of a job. Gives how many runs. What is under way or waits is not a record yet. */
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
  await sql.rows('DELETE FROM $.pauses WHERE job = ?', job)
  const text = "DELETE FROM $.runs WHERE job = ? AND (ended IS NOT NULL OR state = 'due') RETURNING id"
  return (await sql.rows(text, job)).length
}
