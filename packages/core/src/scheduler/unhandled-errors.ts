import type { ActiveRun } from '../run/active-run.ts'
import { currentRun } from '../run/context.ts'

interface Shared {
  schedulers: number
  unlisten: () => void
}

// One pair of listeners for all copies of the package in a process.
const key = Symbol.for('escapement.loose')
const home = globalThis as { [key]?: Shared }
home[key] ??= { schedulers: 0, unlisten: () => {} }
const shared: Shared = home[key]

/**
 * Names loose ends with the run they come from: rejections nobody handles, and errors thrown where nobody can
 * catch them. A rejection inside a run is reported and goes no further; any other one ends the process as Node
 * does by default, unless the app listens for it. Returns the undo.
 */
export function watchLooseEnds(): () => void {
  if (shared.schedulers++ === 0) {
    process.on('unhandledRejection', onRejection)
    process.on('uncaughtExceptionMonitor', onException)
    shared.unlisten = () => {
      process.off('unhandledRejection', onRejection)
      process.off('uncaughtExceptionMonitor', onException)
    }
  }
  return () => {
    if (--shared.schedulers === 0) shared.unlisten()
  }
}

function onRejection(reason: unknown): void {
  const run = currentRun() as ActiveRun | undefined
  if (run) run.reportFault(reason, 'unhandled rejection')
  else if (process.listenerCount('unhandledRejection') === 1) throw reason
}

function onException(error: unknown): void {
  const run = currentRun() as ActiveRun | undefined
  run?.reportFault(error, 'uncaught exception')
}
