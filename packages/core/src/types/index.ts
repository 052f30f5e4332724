/**
 * The words of Escapement, and the small interfaces behind them.
 *
 * - **Job**: a name, a trigger, a handler and its policies. The name is its identity across instances.
 * - **Trigger**: says when. One method: `next(after)`.
 * - **Tick**: one nominal instant of one job. It never changes: not by jitter, lateness or retries.
 * - **Run**: the execution of a tick, or of a manual request. It has attempts and ends in one outcome.
 * - **Hook**: a link of the chain around a run or an attempt, `(run, next) => …`, as in Koa.
 * - **Plugin**: brings hooks, or one of the ports below.
 * - **Claim**: the fleet's decision of who runs one tick. It outlives the run.
 * - **Lease**: a renewed hold that keeps two runs of one job from overlapping.
 * - **Instance**: one process of the app. A **fleet** is all of them.
 */
export type * from './audit.ts'
export type * from './clock.ts'
export type * from './events.ts'
export type * from './fleet.ts'
export type * from './group.ts'
export type * from './job.ts'
export type * from './lock.ts'
export type * from './logger.ts'
export type * from './options.ts'
export type * from './outcome.ts'
export type * from './plugin.ts'
export type * from './record.ts'
export type * from './request.ts'
export type * from './scheduler.ts'
export type * from './scheduler-options.ts'
export type * from './schema.ts'
export type * from './stats.ts'
export type * from './store.ts'
export type * from './trigger.ts'
export type * from './values.ts'
