import type { Outcome, Run, Scheduler } from '@escapement/core'

/**
 * Waits for runs, instead of sleeping.
 *
 * @param options `event`: default `'settled'`. `count`: how many, default 1. `job`: only of this one.
 *   `timeout`: fails after this number of ms of real time, default 10,000.
 *
 * @example
 * const [run] = await awaitRuns(scheduler, { job: 'report' })
 * assert.equal(run.outcome, 'succeeded')
 */
export function awaitRuns(
  scheduler: Pick<Scheduler, 'on'>,
  {
    event = 'settled',
    count = 1,
    job,
    where = () => true,
    timeout = 10_000,
  }: {
    event?: 'settled' | 'running' | Outcome
    count?: number
    job?: string
    where?: (run: Run) => boolean
    timeout?: number
  } = {},
): Promise<Run[]> {
  return new Promise((resolve, reject) => {
    const runs: Run[] = []
    const timer = setTimeout(() => {
      undo()
      const seen = runs.map(({ key }) => key).join(', ') || 'none'
      reject(new Error(`expected ${count} × ${event} within ${timeout} ms, saw ${seen}`))
    }, timeout)
    const undo = scheduler.on(event, (run: Run) => {
      if ((job !== undefined && run.job.name !== job) || !where(run)) return
      runs.push(run)
      if (runs.length < count) return
      clearTimeout(timer)
      undo()
      resolve(runs)
    })
  })
}
