import type { AskedRuns } from '../engine/asked-runs.ts'
import type { EngineContext } from '../engine/context.ts'
import type { Engine } from '../engine/engine.ts'
import type { Registry } from '../jobs/registry.ts'
import { instant } from '../store/query.ts'
import type { Fleet, FleetEvent, FleetEventQuery, Member } from '../types/index.ts'
import { answer } from '../util/time.ts'
import { checkKeys, integer } from '../util/validate.ts'
import { Audit } from './audit.ts'
import { localFleet } from './local-fleet.ts'
import { LockOutages } from './lock-outages.ts'
import { Operations } from './operations.ts'
import { Pauses } from './pauses.ts'
import { Self } from './self.ts'

/** How long the fleet may take to answer, in ms. */
const TIMEOUT_MS = 10_000

interface FleetMemberParts {
  readonly engine: Engine
  readonly registry: () => Registry
  readonly asked: () => AskedRuns
  readonly settings: {
    readonly plugins: { readonly fleet: Fleet | undefined }
    readonly timezone: string
    readonly version: string | undefined
    readonly roles: readonly string[] | undefined
  }
  /** The clock is the machine's. */
  readonly real: boolean
}

/** This instance as a member of its fleet: what it shares with the others. */
export class FleetMember {
  readonly audit: Audit
  readonly pauses: Pauses
  readonly operations: Operations
  readonly #context: EngineContext
  readonly #registry: () => Registry
  readonly #fleet: Fleet
  readonly #self: Self
  readonly #outages: LockOutages

  constructor({ engine, registry, asked, settings, real }: FleetMemberParts) {
    const { context } = engine
    const { plugins, timezone, version, roles } = settings
    const fleet = plugins.fleet ?? localFleet(() => context.now())
    this.#context = context
    this.#registry = registry
    this.#fleet = fleet
    this.#outages = new LockOutages(context, fleet)
    this.audit = new Audit(context)
    this.pauses = new Pauses({ context, fleet, registry })
    this.operations = new Operations({
      engine,
      registry,
      asked,
      fleet,
      pauses: this.pauses,
      audit: this.audit,
      timezone,
    })
    this.#self = new Self({
      context,
      registry,
      version,
      roles,
      real,
      pausesChanged: (pauses) => this.pauses.changed(pauses),
      cancel: (command) => this.operations.cancelHere(command),
    })
  }

  /** It reaches other processes. */
  get shared(): boolean {
    return this.#fleet.shared
  }

  /** Before the first tick: pauses of the fleet hold from it on. */
  async join(): Promise<void> {
    const { clock, faults } = this.#context
    this.#self.open()
    try {
      const pauses = await answer(clock, this.#fleet.join(this.#self), TIMEOUT_MS, 'the fleet')
      this.pauses.changed(pauses)
      await this.#propose(pauses.map(({ job }) => job))
      faults.troubles.works('fleet')
    } catch (error) {
      faults.storeFailed('fleet', error, 'pauses of the fleet are not known here')
    }
  }

  leave(): void {
    this.pauses.close()
    this.#outages.close()
    this.#self.close()
  }

  /** @throws ERR_ESCAPEMENT_UNAVAILABLE, and what the fleet throws */
  async members(): Promise<Member[]> {
    return [...(await answer(this.#context.clock, this.#fleet.members(), TIMEOUT_MS, 'the fleet'))]
  }

  /** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_UNAVAILABLE, and what the fleet throws */
  async events(query: FleetEventQuery): Promise<FleetEvent[]> {
    checkKeys(query, { from: 1, until: 1, limit: 1 }, 'fleet event option')
    for (const key of ['from', 'until'] as const) instant(key, query[key])
    if (query.limit !== undefined) integer('limit', query.limit, 0)
    const events = this.#fleet.events?.(query) ?? []
    return [...(await answer(this.#context.clock, events, TIMEOUT_MS, 'the fleet'))]
  }

  /** Jobs that start paused are paused in the fleet when it does not know them yet. */
  async #propose(known: readonly (string | undefined)[]): Promise<void> {
    if (!this.#fleet.shared) return
    for (const job of this.#registry().all()) {
      if (!job.ownPause || known.includes(job.name)) continue
      const pause = { job: job.name, at: new Date(this.#context.now()), ...job.ownPause }
      const kept = await answer(this.#context.clock, this.#fleet.proposePause(pause), TIMEOUT_MS, 'the fleet')
      if (!kept) job.ownPause = undefined
    }
  }
}
