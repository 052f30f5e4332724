import { EscapementError } from '@escapement/core'
import { requireSteps } from '@escapement/sql-fleet'
import type { Client } from './client.ts'
import { checkSchemaName } from './options.ts'
import { additions, migrations } from './schema.ts'

const TABLES = ['versions', 'additions'] as const

/**
 * Brings the schema to the newest version. Safe when many instances do so at once: each step is one statement
 * under a lock of the table of versions.
 *
 * @throws ERR_ESCAPEMENT_STORE when it is newer than we know
 */
export async function migrate(
  client: Client,
  schema: string,
  steps: readonly string[] = migrations,
  more: readonly string[] = additions,
): Promise<void> {
  // Looked at first: a role may use what is there, but not be allowed to make it.
  const found = await look(client, schema)
  if (found?.schema === null) await client.patient(MAKE_SCHEMA(schema))
  for (const table of TABLES) if (found?.[table] === null) await client.patient(MAKE_TABLE(table))
  await knownVersion(client, schema, steps)
  await take(client, 'versions', steps)
  // The schema of a newer program may have more of them.
  await take(client, 'additions', more)
}

/**
 * For a role that must not change the schema.
 *
 * @throws ERR_ESCAPEMENT_STORE when statements are missing, or it is newer than we know
 */
export async function requireNewest(client: Client, schema: string): Promise<void> {
  const found = await look(client, schema)
  const version = found?.versions === null ? 0 : await knownVersion(client, schema, migrations)
  const taken = found?.additions === null ? 0 : await reached(client, 'additions')
  const missing = [...migrations.slice(version), ...additions.slice(taken)]
  const named = schema === 'escapement' ? '' : ` --schema ${schema}`
  requireSteps(`the schema ${schema}`, missing, `npx escapement schema postgres --sql${named}`)
}

/**
 * The statements that make the tables, for `postgres({ migrate: false })`. What is there is left as it is: they may be run
 * again, and bring an older schema forward.
 *
 * @param options `schema`: default `'escapement'`.
 * @throws ERR_ESCAPEMENT_OPTION
 *
 * @example
 * console.log(schemaSql({ schema: 'jobs' }))
 */
export function schemaSql({ schema = 'escapement' }: { schema?: string } = {}): string {
  checkSchemaName(schema)
  const numbered = (table: string, steps: readonly string[]) =>
    steps.map((step, index) => STEP(table, index + 1, step))
  const statements = [
    MAKE_SCHEMA(schema),
    ...TABLES.map(MAKE_TABLE),
    ...numbered('versions', migrations),
    ...numbered('additions', additions),
  ]
  const text = statements.map((statement) => `${statement.trim()};`).join('\n')
  return `${text.replaceAll('$.', `"${schema}".`)}\n${GRANTS(schema)}`
}

const MAKE_SCHEMA = (schema: string) => `CREATE SCHEMA IF NOT EXISTS "${schema}"`
const MAKE_TABLE = (table: string) =>
  `CREATE TABLE IF NOT EXISTS $.${table} (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`

const STEP = (table: string, version: number, step: string) => `
      DO $migrate$ BEGIN
        LOCK TABLE $.${table} IN ACCESS EXCLUSIVE MODE;
        IF NOT EXISTS (SELECT 1 FROM $.${table} WHERE version = ${version}) THEN
          ${step}
          INSERT INTO $.${table} (version) VALUES (${version});
        END IF;
      END $migrate$`

const GRANTS = (schema: string) => `
-- The role of the app, here my_app, needs:
-- GRANT USAGE ON SCHEMA "${schema}" TO my_app;
-- GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${schema}" TO my_app;`

async function look(client: Client, schema: string) {
  const names = [`"${schema}"`, `"${schema}".versions`, `"${schema}".additions`]
  const there =
    'SELECT to_regnamespace($1) AS schema, to_regclass($2) AS versions, to_regclass($3) AS additions'
  const [found] = await client.query(there, names)
  return found
}

async function knownVersion(client: Client, schema: string, steps: readonly string[]): Promise<number> {
  const version = await reached(client, 'versions')
  if (version <= steps.length) return version
  throw new EscapementError(
    'ERR_ESCAPEMENT_STORE',
    `the schema ${schema} has version ${version}, but this program knows it up to version ${steps.length} only: use a newer one`,
  )
}

async function reached(client: Client, table: string): Promise<number> {
  const [row] = await client.query(`SELECT coalesce(max(version), 0) AS version FROM $.${table}`)
  return Number(row?.version)
}

async function take(client: Client, table: string, steps: readonly string[]): Promise<void> {
  for (let next = (await reached(client, table)) + 1; next <= steps.length; next++)
    await client.patient(STEP(table, next, steps[next - 1] as string))
}
