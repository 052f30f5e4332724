export {
  type Backend,
  type ClaimReply,
  type ClaimRequest,
  type ClaimRow,
  type ClosedRun,
  type End,
  MUTEX,
  type OwnClaim,
  type Successor,
} from './backend.ts'
export type { FleetParts, SqlStore } from './fleet-parts.ts'
export { FLEET_OPTIONS, type FleetOptions, type FleetSettings, parseFleetOptions } from './options.ts'
export { sqlAudit } from './records/audit.ts'
export { addCounts, type Body, bodyOf, DAY_MS, hourOf, kindsOf, readStats } from './records/counters.ts'
export { forget } from './records/forget.ts'
export { searchText, selectRuns } from './records/queries.ts'
export { isKept, moveStatements, type Rename, renamesOf } from './records/renames.ts'
export { SqlRequests } from './records/requests.ts'
export {
  abandonedOf,
  claimOf,
  factsText,
  firstId,
  linesOf,
  linesText,
  recordOf,
  refused,
} from './records/rows.ts'
export { requireSteps, statementsOf } from './schema.ts'
export type { Columns, Sql, SqlValue, Statement } from './sql.ts'
export { SqlFleet } from './sql-fleet.ts'
