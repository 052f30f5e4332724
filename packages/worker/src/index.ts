export type { WorkerRun } from './interfaces.ts'
export { type WorkerOptions, worker } from './worker.ts'
