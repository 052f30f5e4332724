import type { Run, Scheduler } from '@escapement/core'
import { awaitRuns } from './await-runs.ts'

/**
 * Asks for a run of a job, and gives the run itself, as its handler has it: once it has begun, or with the event
 * `'settled'` once it has ended.
 *
 * @example
 * const run = await liveRun(scheduler, 'report')
 * run.cancel()
 */
export async function liveRun(
  scheduler: Pick<Scheduler, 'on' | 'run'>,
  job: string,
  { data, event = 'running' }: { data?: unknown; event?: 'running' | 'settled' } = {},
): Promise<Run> {
  const runs = awaitRuns(scheduler, { job, event, where: ({ requested }) => requested })
  await scheduler.run(job, data)
  return (await runs)[0] as Run
}
