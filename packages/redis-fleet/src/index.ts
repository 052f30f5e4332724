export { checkRedis, type OpenClient, openClient, type RedisClient } from './client.ts'
export type { Master } from './masters.ts'
export { execute, type Script, script } from './script.ts'
export { SharedFleet, type SharedFleetParts } from './shared-fleet.ts'
