export { sqlAudit } from './audit.ts'
export {
  type Backend,
  type ClaimReply,
  type ClaimRequest,
  type ClaimRow,
  type ClosedRun,
  type End,
  MUTEX,
  type Successor,
} from './backend.ts'
export { addCounts, type Body, bodyOf, DAY_MS, hourOf, kindsOf, readStats } from './counters.ts'
export { SqlFleet } from './fleet.ts'
export type { FleetParts, SqlStore } from './fleet-parts.ts'
export { forget } from './forget.ts'
export { FLEET_OPTIONS, type FleetOptions, type FleetSettings, parseFleetOptions } from './options.ts'
export { searchText, selectRuns } from './queries.ts'
export { isKept, moveStatements, type Rename, renamesOf } from './renames.ts'
export { SqlRequests } from './requests.ts'
export {
  abandonedOf,
  type Columns,
  claimOf,
  factsText,
  firstId,
  linesOf,
  linesText,
  recordOf,
  refused,
} from './rows.ts'
export { requireSteps, statementsOf } from './schema.ts'
export type { Sql, SqlValue, Statement } from './sql.ts'
