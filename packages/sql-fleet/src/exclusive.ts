import type { Claim, Clock, Maybe } from '@escapement/core'

const FIRST_WAIT_MS = 20
const MAX_WAIT_MS = 500

/**
 * Runs `fn` under a mutex that is asked for until it is free, a little apart each time. What `fn` gives counts
 * whatever becomes of the mutex afterwards.
 *
 * @param acquire Gives the claim, or undefined while another holder has it.
 */
export async function exclusively<T>(
  clock: Clock,
  acquire: () => Promise<Claim | undefined>,
  fn: (signal: AbortSignal) => Maybe<T>,
  signal?: AbortSignal,
): Promise<T> {
  let claim: Claim | undefined
  for (let wait = FIRST_WAIT_MS; !claim; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
    signal?.throwIfAborted()
    claim = await acquire()
    if (!claim) await pause(clock, wait * (0.5 + Math.random() / 2))
  }
  const lost = new AbortController()
  const undo = claim.onLost((reason) => lost.abort(reason))
  try {
    return await fn(signal ? AbortSignal.any([signal, lost.signal]) : lost.signal)
  } finally {
    undo()
    await claim.complete('succeeded')
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, ms))
}
