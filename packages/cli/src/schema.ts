import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Output, UsageError } from './settings.ts'

const DATABASES = ['sqlite', 'postgres'] as const
type Database = (typeof DATABASES)[number]

interface SchemaOptions {
  readonly sql: boolean | undefined
  /** The schema of PostgreSQL. */
  readonly schema: string | undefined
  /** What a file of SQLite has already. */
  readonly from: string | undefined
}

/** The statements that make the tables of a database, as the package that the app has installed knows them. */
export function schemaCommand(name: string | undefined, options: SchemaOptions, { out }: Output): number {
  const { sql, schema, from } = options
  if (!sql) throw new UsageError('schema: use it with --sql, to print the statements')
  const database = name === undefined ? onlyInstalled() : known(name)
  if (schema !== undefined && database !== 'postgres') throw new UsageError('--schema: only for postgres')
  if (from !== undefined && database !== 'sqlite')
    throw new UsageError('--from: only for sqlite; the statements of postgres leave what is there as it is')
  const { schemaSql } = load(database)
  out(schemaSql({ ...(schema !== undefined && { schema }), ...(from !== undefined && { from }) }))
  return 0
}

function known(name: string): Database {
  const database = DATABASES.find((one) => one === name)
  if (database === undefined)
    throw new UsageError(`schema: expected ${DATABASES.join(' or ')}, got ${JSON.stringify(name)}`)
  return database
}

function onlyInstalled(): Database {
  const [first, ...more] = DATABASES.filter(isInstalled)
  if (first === undefined || more.length > 0)
    throw new UsageError(`schema: the database is missing: ${DATABASES.join(' or ')}`)
  return first
}

function isInstalled(database: Database): boolean {
  try {
    ofApp().resolve(`@escapement/${database}`)
    return true
  } catch {
    return false
  }
}

function load(database: Database): { schemaSql(options: object): string } {
  if (!isInstalled(database))
    throw new UsageError(
      `schema: @escapement/${database} is not installed here: run it in the folder of your app`,
    )
  return ofApp()(`@escapement/${database}`)
}

/** The packages that the app has, in the versions that it has. */
function ofApp(): NodeJS.Require {
  return createRequire(join(process.cwd(), 'package.json'))
}
