import type { ActiveRun } from '../run/active-run.ts'
import type { RequestStore } from '../types/index.ts'
import type { Link } from './compose.ts'

/** In place of a claim where there is no lock: of the instances that see a request in a durable store, one runs it. */
export function takeRequest(requests: RequestStore): Link {
  return (run, next) => {
    if (!run.lazyFields?.request) return next(run)
    return isTaken(requests, run).then((taken) =>
      taken ? next(run) : run.decide('skipped', 'claimed-elsewhere'),
    )
  }
}

/** A store that is away keeps no run from its handler. */
async function isTaken(requests: RequestStore, { id }: ActiveRun): Promise<boolean> {
  try {
    return await requests.withdraw(id)
  } catch {
    return true
  }
}
