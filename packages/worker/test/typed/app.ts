import { createScheduler, manual } from '@escapement/core'
import { worker } from '@escapement/worker'

const scheduler = createScheduler()
scheduler.job('render', manual(), worker(new URL('./render.ts', import.meta.url)))
const run = await scheduler.run('render', { year: 2026 }, { wait: true })
console.log('ended', run.outcome, run.result ?? (run.error as Error).message)
