import type { Dispatcher } from '../engine/dispatcher.ts'
import { drain } from '../engine/drain.ts'
import type { Engine } from '../engine/engine.ts'
import { EscapementError } from '../errors.ts'
import type { FleetMember } from '../fleet/fleet-member.ts'
import type { Registry } from '../jobs/registry.ts'
import { detached } from '../run/context.ts'
import type { Host, Life, Replaced, StartOptions } from '../types/index.ts'
import { describe } from '../util/describe.ts'
import { unlessAborted, within } from '../util/time.ts'
import type { Plugins } from './plugins.ts'
import { siblings } from './sibling-processes.ts'
import { watchLooseEnds } from './unhandled-errors.ts'

export interface LifecycleParts {
  readonly engine: Engine
  readonly registry: Registry
  readonly dispatcher: Dispatcher
  readonly plugins: Plugins
  readonly host: Host
  readonly member: FleetMember
  /** Why the zone of this process is not used though none was given. */
  readonly zoneProblem: string | undefined
}

/** The life of a scheduler from `start()` to `stop()`. Both end in bounded time, whatever plugins do. */
export class Lifecycle {
  state: Life = 'idle'
  /** Why the last start has failed. */
  failure: string | undefined
  readonly #parts: LifecycleParts
  #unwatch: () => void = () => {}
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  /** Ends the wait for a start. */
  #halt = new AbortController()

  constructor(parts: LifecycleParts) {
    this.#parts = parts
  }

  start(options: StartOptions): Promise<void> {
    if (this.#stopping) return this.#stopping.then(() => this.start(options))
    if (!this.#starting) this.#parts.dispatcher.keepAlive = options.keepAlive ?? true
    this.#starting ??= detached(() => this.#start(options.replaces))
    return this.#starting
  }

  /** @param grace For the runs under way, in ms. */
  stop(grace: number): Promise<void> {
    if (!this.#starting) return Promise.resolve()
    this.#stopping ??= detached(() => this.#stop(grace)).finally(() => {
      this.#stopping = undefined
      this.#starting = undefined
    })
    return this.#stopping
  }

  async #start(replaced?: Replaced): Promise<void> {
    const { log, events } = this.#parts.engine.context
    const halt = new AbortController()
    this.#halt = halt
    this.state = 'starting'
    try {
      this.#parts.dispatcher.check()
      await unlessAborted(this.#open(halt.signal, replaced), halt.signal)
    } catch (error) {
      this.#starting = undefined
      if (!halt.signal.aborted) {
        this.state = 'stopped'
        this.failure = `the scheduler cannot start: ${describe(error).message}`
        log.error({ error }, 'the scheduler cannot start')
      }
      throw error
    }
    this.failure = undefined
    this.#unwatch = watchLooseEnds()
    this.state = 'running'
    this.#announce()
    events.emit('start')
  }

  async #open(halt: AbortSignal, replaced: Replaced | undefined): Promise<void> {
    const { plugins, host, dispatcher, member } = this.#parts
    await plugins.start(host, halt, this.#report)
    if (!halt.aborted) await member.join()
    if (!halt.aborted) await dispatcher.open(replaced)
  }

  /** One line, on the default console as well; and warnings of what is likely to be a slip. */
  #announce(): void {
    const { engine, registry, plugins, host, zoneProblem } = this.#parts
    const { instance, log, userLog } = engine.context
    const { timezone } = host
    let next = Infinity
    for (const job of registry.here()) if (job.bucket && job.at < next) next = job.at
    const fields = {
      jobs: registry.size,
      timezone,
      next: Number.isFinite(next) ? new Date(next).toISOString() : 'none',
      lock: plugins.lock ? 'yes' : 'no',
      instance,
    }
    userLog.info(fields, 'scheduler started')
    if (zoneProblem) log.warn({ timezone }, zoneProblem)
    const sibling = plugins.lock ? undefined : siblings()
    if (sibling)
      log.warn({ instance }, `this process is ${sibling}: without a lock plugin each runs every tick`)
  }

  async #stop(grace: number): Promise<void> {
    const { engine, dispatcher, plugins, member } = this.#parts
    const { clock, log, events, abortGrace } = engine.context
    const deadline = clock.monotonic() + grace + abortGrace.length + 2000
    const left = () => Math.max(0, deadline - clock.monotonic())
    if (this.state === 'starting') await this.#endStart()
    if (this.state !== 'running' && this.state !== 'starting') return
    this.state = 'draining'
    dispatcher.close()
    events.emit('drain')
    const clean = await drain(engine, Math.max(0, left() - abortGrace.length - 2000))
    const stopped = plugins.stop({ clean, deadline: left() }, this.#report)
    if (!(await within(clock, stopped, left()))) {
      const { pending } = plugins
      log.warn({ pending }, 'the scheduler stops without waiting for its plugins any longer')
    }
    member.leave()
    this.#unwatch()
    this.state = 'stopped'
    log.info({ clean }, 'scheduler stopped')
    events.emit('stop', { clean })
  }

  /** Waits a little for a start under way, then goes on without it. */
  async #endStart(): Promise<void> {
    const { engine, plugins } = this.#parts
    const { clock, abortGrace, log } = engine.context
    const starting = this.#starting ?? Promise.resolve()
    if (await within(clock, starting, abortGrace.length)) return
    const { pending } = plugins
    log.warn({ pending }, 'the scheduler is stopped while it is starting')
    const where = pending.join(', ') || 'the store'
    const message = `the scheduler was stopped while it was starting: ${where} had not ended`
    this.#halt.abort(new EscapementError('ERR_ESCAPEMENT_STOPPED', message))
  }

  readonly #report = (error: unknown, source: string) => this.#parts.engine.context.report(error, { source })
}
