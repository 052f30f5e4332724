import { EscapementError } from '../errors.ts'
import { within } from '../util/time.ts'
import type { Engine } from './engine.ts'

/**
 * Waits for the runs under way, then aborts them. False if one had to be aborted.
 *
 * @param grace How long they may take, in ms.
 */
export async function drain(engine: Engine, grace: number): Promise<boolean> {
  const { clock, inFlight, abortGrace } = engine.context
  const reason = () => new EscapementError('ERR_ESCAPEMENT_CANCELLED', 'the scheduler was stopped')
  for (const run of [...inFlight]) {
    if (run.state === 'waiting-retry') run.abort(reason())
    else run.dismiss()
  }
  if (await within(clock, inFlight.idle(), grace)) return true
  for (const run of [...inFlight]) run.abort(reason())
  // The attempts end by themselves after the abort grace; what is left then hangs in a hook.
  await within(clock, inFlight.idle(), abortGrace.length + 1000)
  for (const run of [...inFlight]) engine.forceEnd(run)
  return false
}
