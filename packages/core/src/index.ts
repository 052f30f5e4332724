export { systemClock } from './clock.ts'
export { currentRun, detached } from './context.ts'
export { parseDuration } from './duration.ts'
export { type Code, codes, EscapementError } from './errors.ts'
export type { EventMap, Events, PauseInfo } from './events.ts'
export type { Group, GroupOptions } from './group.ts'
export type * from './interfaces.ts'
export type { Job, JobFacts, RunOptions } from './job.ts'
export { bindings, type LoggerLike, toLogger } from './log.ts'
export { type LogBindings, logBindings } from './log-bindings.ts'
export type { JobDefaults, JobOptions, Missed, Overlap, Policies, RetryOptions } from './options.ts'
export { toRecord } from './record.ts'
export {
  createScheduler,
  type Health,
  type JobData,
  type Life,
  Scheduler,
} from './scheduler.ts'
export type { Schema } from './schema.ts'
export type { SchedulerOptions } from './settings.ts'
export { memoryStore } from './store.ts'
export * from './triggers/index.ts'
