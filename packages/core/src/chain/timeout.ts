import type { Engine } from '../engine/engine.ts'
import { EscapementError } from '../errors.ts'
import { type Link, settled } from './compose.ts'

/** Aborts an attempt that takes too long. */
export function timeout(engine: Engine): Link {
  return (run, next) => {
    const limit = run.job.policies.timeout as number
    const timer = engine.clock.setTimeout(() => {
      const message = `${run.job.name} took longer than its timeout of ${limit} ms`
      run.abort(new EscapementError('ERR_ESCAPEMENT_TIMEOUT', message), true)
    }, limit)
    return settled(run, next, () => engine.clock.clearTimeout(timer))
  }
}
