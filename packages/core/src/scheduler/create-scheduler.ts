import type { Scheduler as Face, SchedulerOptions } from '../types/index.ts'
import { SchedulerFace } from './scheduler.ts'

/** Jobs, and their life from `start()` to `stop()`. */
export type Scheduler = Face
/** What `createScheduler()` calls. */
export const Scheduler: new (options?: SchedulerOptions) => Scheduler = SchedulerFace

/** Makes a scheduler. It does nothing until it is started: by an adapter's middleware, or by `start()`. */
export function createScheduler(options: SchedulerOptions = {}): Scheduler {
  return new Scheduler(options)
}
