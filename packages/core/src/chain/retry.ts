import type { Engine } from '../engine/engine.ts'
import { bindings } from '../log/logger.ts'
import type { ActiveRun } from '../run/active-run.ts'
import { scope } from '../run/context.ts'
import type { Chain } from './compose.ts'

/** The end of the chain around a run: makes its attempts, all of the same tick and key. */
export function retry(engine: Engine, attempt: Chain): Chain {
  async function persist(run: ActiveRun): Promise<unknown> {
    for (;;) {
      try {
        return await attempt(run)
      } catch (error) {
        run.fail(error)
        const delay = scope().runInAsyncScope(delayAfter, undefined, engine, run, error)
        if (delay === undefined) throw error
        run.state = 'waiting-retry'
        const fields = { ...bindings(run), attempt: run.attempt, delay_ms: Math.round(delay), error }
        engine.log.warn(fields, `${run.job.name} waiting-retry`)
        engine.events.emit('waiting-retry', run, { error, delay })
        const timer = engine.clock.setTimeout(() => run.go(), delay)
        const passed = await run.wait()
        engine.clock.clearTimeout(timer)
        if (!passed) throw run.aborted
        run.begin()
      }
    }
  }

  return (run) => {
    if (run.aborted) throw run.aborted
    run.begin()
    engine.running(run)
    return run.job.policies.retry ? persist(run) : attempt(run)
  }
}

/** Milliseconds until the next attempt, or undefined when there is none. */
function delayAfter(engine: Engine, run: ActiveRun, error: unknown): number | undefined {
  const { retry } = run.job.policies
  if (!retry || run.over || run.attempt > retry.retries) return
  try {
    return retry.retryIf(error) ? retry.delay(run.attempt, error) : undefined
  } catch (fault) {
    engine.report(fault, { source: 'retry', run })
  }
}
