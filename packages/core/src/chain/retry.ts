import { bindings } from '../log/logger.ts'
import type { ActiveRun } from '../run/active-run.ts'
import { scope } from '../run/context.ts'
import type { Link } from './compose.ts'
import type { ChainContext } from './context.ts'

/** Repeats an attempt that has failed: all are of the same tick and key. */
export function retry(context: ChainContext): Link {
  return async (run, attempt) => {
    for (;;) {
      try {
        return await attempt(run)
      } catch (error) {
        run.recordFailure(error)
        const delay = scope().runInAsyncScope(delayAfter, undefined, context, run, error)
        if (delay === undefined) throw error
        run.awaitRetry()
        const fields = { ...bindings(run), attempt: run.attempt, delay_ms: Math.round(delay), error }
        context.log.warn(fields, `${run.job.name} waiting-retry`)
        context.events.emit('waiting-retry', run, { error, delay })
        const timer = context.clock.setTimeout(() => run.proceed(), delay)
        const passed = await run.wait()
        context.clock.clearTimeout(timer)
        if (!passed) throw run.aborted
        run.beginAttempt()
      }
    }
  }
}

/** Milliseconds until the next attempt, or undefined when there is none. */
function delayAfter(context: ChainContext, run: ActiveRun, error: unknown): number | undefined {
  const { retry } = run.job.policies
  if (!retry || run.over || run.attempt > retry.retries) return
  try {
    return retry.retryIf(error) ? retry.delay(run.attempt, error) : undefined
  } catch (fault) {
    context.report(fault, { source: 'retry', run })
  }
}
