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
export { SqlFleet } from './fleet.ts'
export type { FleetParts } from './fleet-parts.ts'
export { FLEET_OPTIONS, type FleetOptions, type FleetSettings, parseFleetOptions } from './options.ts'
export { type PausedJob, Pauses, type PauseTable, pauseOf, pauseText } from './pauses.ts'
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
  timeOf,
} from './rows.ts'
