/** Scheduled work for Node servers: jobs, and the scheduler that runs them. */

export { type Code, codes, EscapementError } from './errors.ts'
export { bindings, toLogger } from './log/logger.ts'
export { currentRun, detached } from './run/context.ts'
export { type LogBindings, logBindings } from './run/log-bindings.ts'
export { toRecord } from './run/record.ts'
export { createScheduler, Scheduler } from './scheduler/create-scheduler.ts'
export { systemClock } from './scheduler/system-clock.ts'
export { memoryStore } from './store/memory-store.ts'
export * from './triggers/index.ts'
export type * from './types/index.ts'
export { parseDuration } from './util/duration.ts'
