import { hostname } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { EngineContext } from '../engine/context.ts'
import type { Registry } from '../jobs/registry.ts'
import { digest } from '../timetable/catch-up.ts'
import type { Command, CommandAnswer, FleetSelf, MemberFacts, Pause } from '../types/index.ts'

/** The most runs under way, and jobs, in the description of an instance. */
const MAX_RUNS = 100
const MAX_JOBS = 10_000
/** How often the event loop is looked at, in ms. */
const LAG_RESOLUTION_MS = 250

interface SelfParts {
  readonly context: EngineContext
  readonly registry: () => Registry
  readonly version: string | undefined
  readonly roles: readonly string[] | undefined
  /** The clock is the machine's. */
  readonly real: boolean
  pausesChanged(pauses: readonly Pause[]): void
  cancel(command: Command): CommandAnswer
}

/** What this instance tells the others of itself, and what they can ask of it. */
export class Self implements FleetSelf {
  readonly instance: string
  readonly #parts: SelfParts
  #startedAt = new Date(NaN)
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined
  #jobs: { readonly of: number; readonly digests: Record<string, string> } | undefined

  constructor(parts: SelfParts) {
    this.#parts = parts
    this.instance = parts.context.instance
  }

  open(): void {
    const { context, real } = this.#parts
    this.#startedAt = new Date(context.now())
    if (!real) return
    this.#delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
    this.#delay.enable()
  }

  close(): void {
    this.#delay?.disable()
    this.#delay = undefined
  }

  describe(): MemberFacts {
    const { context, version, roles } = this.#parts
    const lag = this.#delay ? Math.max(0, Math.round(this.#delay.max / 1e6) - LAG_RESOLUTION_MS) : 0
    this.#delay?.reset()
    const runs = [...context.inFlight].slice(0, MAX_RUNS).map(({ id, job }) => ({ id, job: job.name }))
    return {
      host: hostname(),
      pid: process.pid,
      version,
      roles,
      startedAt: this.#startedAt,
      lag,
      runs,
      jobs: this.#digests(),
    }
  }

  pausesChanged(pauses: readonly Pause[]): void {
    this.#parts.pausesChanged(pauses)
  }

  command(command: Command): CommandAnswer {
    return this.#parts.cancel(command)
  }

  /** The same object until jobs come or go. */
  #digests(): Record<string, string> {
    const registry = this.#parts.registry()
    if (this.#jobs?.of !== registry.changes) {
      const digests: Record<string, string> = {}
      let left = MAX_JOBS
      for (const job of registry.all()) {
        if (!job.here || left-- <= 0) continue
        Object.defineProperty(digests, job.name, { value: digest(job.trigger), enumerable: true })
      }
      this.#jobs = { of: registry.changes, digests }
    }
    return this.#jobs.digests
  }
}
