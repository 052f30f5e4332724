import type { AskedRuns } from '../engine/asked-runs.ts'
import type { EngineContext } from '../engine/context.ts'
import type { Engine } from '../engine/engine.ts'
import { EscapementError, show } from '../errors.ts'
import type { Registry } from '../jobs/registry.ts'
import { parseAsked, parsePause } from '../jobs/run-options.ts'
import { hasEnded } from '../run/outcomes.ts'
import { readRuns, STORE_TIMEOUT_MS } from '../store/query.ts'
import type {
  Asked,
  Command,
  CommandAnswer,
  Fleet,
  PauseInfo,
  PauseOptions,
  RunRecord,
} from '../types/index.ts'
import { serial, timeOrderedId } from '../util/ids.ts'
import { answer } from '../util/time.ts'
import { fail } from '../util/validate.ts'
import type { Audit } from './audit.ts'
import type { Pauses } from './pauses.ts'

/** How long a command may take, in ms. */
const COMMAND_TIMEOUT_MS = 10_000

interface OperationsParts {
  readonly engine: Engine
  readonly registry: () => Registry
  readonly asked: () => AskedRuns
  readonly fleet: Fleet
  readonly pauses: Pauses
  readonly audit: Audit
  /** The zone in which local times are read. */
  readonly timezone: string
}

/** What people do to jobs and runs of the fleet. Each leaves an entry in the audit. */
export class Operations {
  readonly #parts: OperationsParts

  constructor(parts: OperationsParts) {
    this.#parts = parts
  }

  /** Pauses a job, or all. */
  pause(job: string | undefined, options: PauseOptions): Promise<void> {
    const { pauses, audit, timezone } = this.#parts
    const pause = parsePause(options, { job, now: this.#context.now(), timezone })
    const { by, reason } = pause
    return audit.around({ action: 'paused', job, by, reason }, () => pauses.keep(job, pause, {}))
  }

  resume(job: string | undefined, info: PauseInfo): Promise<void> {
    const { pauses, audit } = this.#parts
    const asked = parseAsked(info, 'resume option')
    return audit.around({ action: 'resumed', job, ...asked }, () => pauses.keep(job, undefined, asked))
  }

  /** The run of this id: it waits, is under way, or has ended. */
  async find(id: string): Promise<RunRecord | undefined> {
    checkId(id)
    for (const run of this.#context.inFlight) if (run.id === id) return run.toJSON()
    const asked = this.#parts.asked()
    const waiting = asked.waiting(id)
    if (waiting && !asked.store.durable) return waiting.toJSON()
    // A request in a durable store may have been taken by another instance.
    const [record] = await readRuns(this.#context, { id, limit: 1 })
    return record ?? waiting?.toJSON()
  }

  /** Cancels a run wherever it waits or is under way. */
  async cancel(id: string, info: Asked): Promise<void> {
    checkId(id)
    const asked = parseAsked(info, 'cancel option')
    await this.#parts.audit.around({ action: 'cancelled', run: id, ...asked }, async () => {
      const command: Command = {
        id: timeOrderedId(this.#context.now(), serial()),
        kind: 'cancel',
        run: id,
        ...asked,
      }
      if (this.cancelHere(command) === 'done') return
      if (await this.#withdraw(command)) return
      const { fleet } = this.#parts
      const said = await answer(this.#context.clock, fleet.send(command), COMMAND_TIMEOUT_MS, 'the fleet')
      if (said !== 'done') await this.#refuse(id)
    })
  }

  /** Cancels a run that is under way or waits in this process. */
  cancelHere(command: Command): CommandAnswer {
    const error = cancelled(command)
    for (const run of this.#context.inFlight) {
      if (run.id !== command.run) continue
      run.abort(error)
      return 'done'
    }
    return this.#parts.asked().cancel(command.run, error) ? 'done' : 'unknown'
  }

  /** Erases what is kept of a run, or of a job. */
  async forget(what: { readonly run: string } | { readonly job: string }, info: Asked): Promise<number> {
    const { store, clock } = this.#context
    const entry = { action: 'forgot', ...what, ...info } as const
    return this.#parts.audit.around(entry, async () => {
      const forgotten = store.forget?.(what) ?? 0
      return answer(clock, forgotten, STORE_TIMEOUT_MS, 'store.forget()')
    })
  }

  get #context(): EngineContext {
    return this.#parts.engine.context
  }

  /** Takes a request out of a durable store before an instance has begun its run. */
  async #withdraw(command: Command): Promise<boolean> {
    const { engine } = this.#parts
    const { store } = this.#parts.asked()
    if (!store.durable) return false
    const [record] = await readRuns(this.#context, { id: command.run, limit: 1 })
    if (record?.state !== 'due') return false
    if (!(await answer(this.#context.clock, store.withdraw(record.id), STORE_TIMEOUT_MS, 'the store')))
      return false
    const registry = this.#parts.registry()
    const job = registry.find(record.job) ?? registry.standIn(record.job)
    if (!job) return false
    const { id, scheduledAt, data, asked, retryOf } = record
    const at = scheduledAt.getTime()
    const request = { id, job: record.job, at, expires: at, data, key: undefined, asked }
    engine.cancel(
      engine.createAsked(job, { ...request, ...(retryOf !== undefined && { retryOf }) }),
      cancelled(command),
    )
    return true
  }

  async #refuse(id: string): Promise<never> {
    const [record] = await readRuns(this.#context, { id, limit: 1 })
    if (record && hasEnded(record.state)) {
      const ended = `run ${show(id)} has ended already: it ${record.state}`
      throw new EscapementError('ERR_ESCAPEMENT_RUN_STATE', ended)
    }
    const where = this.#parts.fleet.shared ? 'on any instance that answers' : 'in this process'
    const message = `no run ${show(id)} is under way or waits ${where}`
    throw new EscapementError('ERR_ESCAPEMENT_RUN_UNKNOWN', message)
  }
}

function checkId(id: unknown): void {
  if (typeof id !== 'string') fail('run', 'the id of a run', id)
}

function cancelled({ by, reason }: Command): EscapementError {
  const message = `cancelled${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`
  return new EscapementError('ERR_ESCAPEMENT_CANCELLED', message)
}
