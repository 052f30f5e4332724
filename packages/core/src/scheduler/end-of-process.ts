import type { ActiveRun } from '../run/active-run.ts'
import type { Logger } from '../types/index.ts'

/** A scheduler, as far as the end of the process is its concern. */
interface Watched {
  readonly inFlight: Iterable<ActiveRun>
  readonly log: Logger
}

const MAX_NAMES = 10

let watched: WeakRef<Watched>[] = []
/** An error that nobody has caught is on its way to end the process. */
let uncaught = false

/**
 * Names the runs that the end of the process cuts off, in one line for each scheduler. Node reports `process.exit()` and
 * uncaught errors. It does not report a signal that nothing listens to, nor SIGKILL.
 */
export function watchEndOfProcess(scheduler: Watched): void {
  if (watched.length === 0) {
    process.on('exit', tell)
    process.on('uncaughtExceptionMonitor', onUncaught)
  }
  watched = watched.filter((ref) => ref.deref())
  watched.push(new WeakRef(scheduler))
}

function onUncaught(): void {
  uncaught = true
  // The app may handle it and go on.
  setImmediate(() => {
    uncaught = false
  }).unref()
}

function tell(exitCode: number): void {
  const cause = uncaught ? 'an uncaught error' : 'process.exit()'
  for (const ref of watched) {
    const scheduler = ref.deref()
    if (!scheduler) continue
    const cut = [...scheduler.inFlight].filter((run) => run.attempt > 0 && !run.ended)
    if (cut.length === 0) continue
    const jobs = [...new Set(cut.map((run) => run.job.name))].slice(0, MAX_NAMES)
    const hint = uncaught
      ? ''
      : ': call it after server.close() has called back, or after await scheduler.stop()'
    scheduler.log.error(
      { jobs, runs: cut.length, exitCode },
      `the process ends with runs under way: ${cause} did not wait for them${hint}`,
    )
  }
}
