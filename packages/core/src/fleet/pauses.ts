import type { EngineContext } from '../engine/context.ts'
import { EscapementError } from '../errors.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import type { Registry } from '../jobs/registry.ts'
import type { Fleet, Pause, PauseInfo, Timer } from '../types/index.ts'
import { describe } from '../util/describe.ts'
import { answer, MAX_TIMER } from '../util/time.ts'

/** How long the fleet may take to keep a pause, in ms. */
const TIMEOUT_MS = 10_000
/** How soon a pause that was not kept is kept again, in ms. */
const RETRY_MS = 1_000

interface PausesParts {
  readonly context: EngineContext
  readonly fleet: Fleet
  readonly registry: () => Registry
}

/**
 * Which jobs are paused on this instance: what was paused or resumed here, at once, and what the fleet says. What the
 * fleet could not keep stays in force here and is written again.
 */
export class Pauses {
  /** The pause of all jobs. */
  all: PauseInfo | undefined = undefined
  readonly #parts: PausesParts
  /** The pauses in force, by the name of their job. */
  readonly #known = new Map<string | undefined, Pause>()
  /** What the fleet has not kept yet. */
  readonly #unkept = new Map<string | undefined, Pause | undefined>()
  #retry: Timer | undefined
  #end: Timer | undefined

  constructor(parts: PausesParts) {
    this.#parts = parts
  }

  /** A job is registered that the fleet may have paused before. */
  adopt(job: JobEntry): void {
    const pause = this.#known.get(job.name)
    if (pause) job.ownPause = infoOf(pause)
  }

  /** What the fleet says now. */
  changed(pauses: readonly Pause[]): void {
    const now = this.#parts.context.now()
    const inForce = pauses.filter((pause) => !isOver(pause, now))
    const next = new Map(inForce.map((pause) => [this.#nameNow(pause.job), pause]))
    for (const [job, pause] of this.#unkept) {
      if (pause) next.set(job, pause)
      else next.delete(job)
    }
    for (const [job, pause] of next) this.#set(job, pause)
    for (const job of [...this.#known.keys()]) if (!next.has(job)) this.#set(job, undefined)
  }

  /**
   * Pauses or resumes a job, or all, here and in the fleet.
   *
   * @throws ERR_ESCAPEMENT_UNAVAILABLE when the fleet does not keep it yet: it is in force here only.
   */
  async keep(job: string | undefined, pause: Pause | undefined, info: PauseInfo): Promise<void> {
    this.#set(job, pause, info)
    await this.#write(job, pause)
  }

  /** Ends what waits. */
  close(): void {
    const { clock } = this.#parts.context
    for (const timer of [this.#retry, this.#end]) if (timer) clock.clearTimeout(timer)
    this.#retry = this.#end = undefined
  }

  /** A job that was renamed is paused before the store has moved its pause. */
  #nameNow(name: string | undefined): string | undefined {
    const registry = this.#parts.registry()
    if (name === undefined || registry.has(name)) return name
    for (const job of registry.all()) if (job.policies.formerly === name) return job.name
    return name
  }

  async #write(job: string | undefined, pause: Pause | undefined): Promise<void> {
    const { fleet, context } = this.#parts
    const { clock, troubles } = context
    this.#unkept.set(job, pause)
    try {
      const kept = pause ? fleet.pause(pause) : fleet.resume(job)
      await answer(clock, kept, TIMEOUT_MS, 'the fleet')
      if (this.#unkept.get(job) === pause) this.#unkept.delete(job)
      troubles.works('fleet')
    } catch (error) {
      this.#retryLater()
      context.faults.storeFailed('fleet', error, 'pauses are in force on this instance only')
      const message = `${job ?? 'all jobs'} ${pause ? 'paused' : 'resumed'} on ${context.instance} only, and for the fleet as soon as that can be kept: ${describe(error).message}`
      throw new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message, { cause: error })
    }
  }

  #retryLater(): void {
    const { clock } = this.#parts.context
    if (this.#retry !== undefined) return
    const timer = clock.setTimeout(() => {
      this.#retry = undefined
      for (const [job, pause] of [...this.#unkept]) this.#write(job, pause).catch(() => {})
    }, RETRY_MS)
    timer.unref?.()
    this.#retry = timer
  }

  #set(name: string | undefined, pause: Pause | undefined, info: PauseInfo = {}): void {
    const { context, registry } = this.#parts
    const before = this.#known.get(name)
    if (pause) this.#known.set(name, pause)
    else this.#known.delete(name)
    if (before?.until?.getTime() !== pause?.until?.getTime()) this.#armEnd()
    const given = pause && infoOf(pause)
    const job = name === undefined ? undefined : registry().find(name)
    if (name !== undefined && !job) return
    const was = job ? job.ownPause : this.all
    if (job) job.ownPause = given
    else this.all = given
    if (!was === !given) return
    const told = given ?? info
    const verb = given ? 'paused' : 'resumed'
    context.log.info({ ...(name !== undefined && { job: name }), ...told }, `${name ?? 'all jobs'} ${verb}`)
    if (job) context.events.emit(verb, job, told)
    else context.events.emit(`all-${verb}`, told)
  }

  /** A pause ends by itself at its `until`. */
  #armEnd(): void {
    const { clock, now } = { clock: this.#parts.context.clock, now: this.#parts.context.now() }
    if (this.#end !== undefined) clock.clearTimeout(this.#end)
    this.#end = undefined
    const ends = [...this.#known.values()].flatMap(({ until }) => until?.getTime() ?? [])
    if (ends.length === 0) return
    const delay = Math.min(Math.max(0, Math.min(...ends) - now), MAX_TIMER)
    const timer = clock.setTimeout(() => this.#endOver(), delay)
    timer.unref?.()
    this.#end = timer
  }

  #endOver(): void {
    this.#end = undefined
    const now = this.#parts.context.now()
    for (const [job, pause] of [...this.#known]) if (isOver(pause, now)) this.#set(job, undefined)
    this.#armEnd()
  }
}

function isOver({ until }: Pause, now: number): boolean {
  return until !== undefined && until.getTime() <= now
}

function infoOf({ job: _, at: __, ...info }: Pause): PauseInfo {
  return info
}
