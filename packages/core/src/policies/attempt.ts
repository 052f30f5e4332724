import { type Chain, isPromise } from '../compose.ts'
import { runs } from '../context.ts'
import type { Engine } from '../engine.ts'
import type { Timer } from '../interfaces.ts'
import type { ActiveRun } from '../run.ts'

/**
 * The end of the chain: calls the handler. Once aborted, the attempt fails with the reason of the abort
 * whatever the handler makes of it, and after the engine's grace even if the handler never settles.
 */
export function attempt(engine: Engine): Chain {
  return (run) => {
    let returned: unknown
    try {
      returned = call(run)
      if (!isPromise(returned) && !run.trailing && !run.aborted) return returned
    } catch (error) {
      if (!run.trailing && !run.aborted) throw error
      returned = Promise.reject(error)
    }
    return attend(engine, run, returned)
  }
}

function call(run: ActiveRun): unknown {
  const { handler } = run.job
  const { executor } = run.job.policies
  return executor ? runs.run(run, () => executor.execute(run, handler)) : runs.run(run, handler, run)
}

/** Waits for the handler, its groups and cleanups, or for the end of the patience that an abort begins. */
function attend(engine: Engine, run: ActiveRun, returned: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined
    run.hurry = () => {
      timer = engine.clock.setTimeout(() => {
        engine.events.emit('ignored-abort', run)
        void run.cleanUp()
        reject(run.aborted)
      }, engine.abortGrace)
    }
    if (run.aborted) run.hurry()
    const leave = (value: unknown) => {
      if (timer) engine.clock.clearTimeout(timer)
      if (run.aborted) reject(run.aborted)
      else resolve(value)
    }
    const fail = (error: unknown) => {
      if (timer) engine.clock.clearTimeout(timer)
      reject(run.aborted ? because(run.aborted, error) : error)
    }
    Promise.resolve(returned).then(
      (value) => (run.trailing ? run.join().then(() => leave(value), fail) : leave(value)),
      (error) => (run.trailing ? run.join({ error }).catch(fail) : fail(error)),
    )
  })
}

/** The reason of the abort, with what the handler threw on its way out. */
function because(reason: Error, error: unknown): Error {
  if (error !== reason && reason.cause === undefined) reason.cause = error
  return reason
}
