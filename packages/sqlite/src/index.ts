export type { SqliteOptions } from './options.ts'
export { schemaSql } from './schema.ts'
export { sqlite } from './sqlite.ts'
