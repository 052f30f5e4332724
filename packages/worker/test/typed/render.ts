import type { WorkerRun } from '@escapement/worker'
import { title } from './title.ts'

/** A handler in TypeScript. */
export default (run: WorkerRun<{ year: number }>): string => `${title} ${run.data.year}`
