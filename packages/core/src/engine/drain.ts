import { EscapementError } from '../errors.ts'
import { within } from '../util/time.ts'
import type { Engine } from './engine.ts'

/**
 * Waits for the runs under way, then aborts them. False if one had to be aborted.
 *
 * @param grace How long they may take, in ms.
 */
export async function drain(engine: Engine, grace: number): Promise<boolean> {
  const reason = () => new EscapementError('ERR_ESCAPEMENT_CANCELLED', 'the scheduler was stopped')
  for (const run of [...engine.inFlight]) {
    if (run.state === 'waiting-retry') run.abort(reason())
    else run.go(false)
  }
  if (await within(engine.clock, engine.idle(), grace)) return true
  for (const run of [...engine.inFlight]) run.abort(reason())
  // The attempts end by themselves after the abort grace; what is left then hangs in a hook.
  await within(engine.clock, engine.idle(), engine.abortGrace + 1000)
  for (const run of [...engine.inFlight]) engine.giveUp(run)
  return false
}
