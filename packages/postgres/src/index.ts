export type { PoolLike } from './client.ts'
export { schemaSql } from './migrate.ts'
export type { PostgresOptions } from './options.ts'
export { postgres } from './postgres.ts'
