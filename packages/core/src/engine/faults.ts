import { Troubles } from '../log/trouble.ts'
import { cut, printable, redact } from '../text.ts'
import type { Clock, Events, Logger, Run, Store } from '../types/index.ts'
import { describe } from '../util/describe.ts'

/** A port that can say what is wrong with it. */
interface Port {
  trouble?(): string | undefined
}

/** Logs and emits what went wrong without ending a run. */
export class Faults {
  readonly troubles: Troubles
  readonly #log: Logger
  readonly #events: Events

  constructor(log: Logger, clock: Clock, events: Events) {
    this.troubles = new Troubles(log, clock)
    this.#log = log
    this.#events = events
  }

  report(error: unknown, where: { source: string; run?: Run; job?: string }): void {
    const { run } = where
    const fields = run ? { job: run.job.name, run_id: run.id } : { job: where.job }
    this.#log.error({ ...fields, error, source: where.source }, `${where.source} threw`)
    this.#events.emit('error', error, where)
  }

  /** A method of the store has failed: told when it begins. */
  storeFailed(source: string, error: unknown, effect: string, run?: Run): void {
    if (!this.troubles.fail(source, error, effect)) return
    this.#events.emit('error', error, run ? { source, run } : { source })
  }

  /** What is wrong with these ports and the rest now, in one line each. */
  reasons(lock: Port | undefined, store: Store): string[] {
    return [...this.troubles.reasons, ...[lock, store].flatMap((port) => troubleOf(port) ?? [])]
  }
}

/** What a port says itself. One that cannot say is in trouble. */
function troubleOf(port: Port | undefined): string | undefined {
  try {
    const trouble = port?.trouble?.()
    return trouble === undefined ? undefined : cut(printable(redact(String(trouble))), 500)
  } catch (error) {
    return `trouble() threw: ${describe(error).message}`
  }
}
