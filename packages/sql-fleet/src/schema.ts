import { EscapementError } from '@escapement/core'

/** How much of a statement a message shows, in characters. */
const MAX_SHOWN = 70

/** The statements of a step of a schema, one by one. A text in `$tag$ … $tag$` is part of its statement. */
export function statementsOf(step: string): string[] {
  const found = step.match(/(?:(\$\w*\$)[\s\S]*?\1|[^;])+;?/g) ?? []
  return found.map((text) => text.trim().replace(/;$/, '')).filter((text) => text !== '')
}

/**
 * Refuses a database whose schema is older than this version needs it, for a program that must not change it.
 *
 * @param what The database, e.g. `the schema escapement`.
 * @param missing The steps that it has not taken.
 * @param command What prints them.
 * @throws ERR_ESCAPEMENT_STORE
 */
export function requireSteps(what: string, missing: readonly string[], command: string): void {
  const statements = missing.flatMap(statementsOf)
  if (statements.length === 0) return
  const heads = statements.map(headOf)
  const message = `${what} is older than this version needs it, and migrate is false. ${heads.length} statements are missing, which "${command}" prints: ${heads.join('; ')}`
  throw new EscapementError('ERR_ESCAPEMENT_STORE', message)
}

function headOf(statement: string): string {
  const line = statement.replaceAll('$.', '').replaceAll(/\s+/g, ' ')
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line
}
