import type { Claim, Host, Job, Lock, Maybe, Refusal, Run, StopInfo } from '@escapement/core'
import { assemble, type InstanceParts } from './assemble.ts'
import type { Ending } from './end/completion-writer.ts'
import { nameOf } from './keys.ts'
import type { Nodes } from './nodes/nodes.ts'
import type { Settings } from './options.ts'
import { LEAVE } from './scripts/index.ts'

/** What is left of a stop's time for the rest, in ms. */
const STOP_MARGIN_MS = 100
/** How many ticks one line names. */
const MAX_NAMED_TICKS = 20

/** One instance of a fleet: its lock, from `start()` to `stop()`. */
export class Instance implements Lock {
  readonly #host: Host
  readonly #timeout: number
  readonly #parts: InstanceParts
  #started = false
  /** Mutexes in use. */
  #using = 0

  constructor(settings: Settings, host: Host) {
    this.#host = host
    this.#timeout = settings.timeout
    this.#parts = assemble(settings, host, () => this.#started)
    const { leases, nodes } = this.#parts
    host.on('drain', () => {
      leases.draining = true
    })
    host.on('clock-step', () => {
      nodes.follow()
      leases.renew()
    })
  }

  /** Never rejects. Answers at once where it was seen that another instance has the tick. */
  claim(run: Run, { exclusive }: { exclusive: boolean }): Maybe<Claim | Refusal> {
    return this.#parts.claims.seen(run) ?? this.#claim(run, exclusive)
  }

  async #claim(run: Run, leased: boolean): Promise<Claim | Refusal> {
    try {
      await this.#parts.nodes.open()
      return await this.#parts.claims.claim(run, leased)
    } catch (error) {
      return { granted: false, reason: 'claim-unavailable', error: error as Error }
    }
  }

  /** Why ticks cannot be claimed as they should. */
  trouble(): string | undefined {
    return this.#parts.nodes.trouble
  }

  get nodes(): Nodes['all'] {
    return this.#parts.nodes.all
  }

  claimDelay(job: Job, at: number, now: number): number {
    return this.#parts.claims.claimDelay(job, at, now)
  }

  /** Also for a scheduler that is not started: then the connections are closed again. */
  async exclusive<T>(
    ...args: [name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal]
  ): Promise<T> {
    this.#using++
    try {
      return await this.#parts.mutexes.run(...args)
    } finally {
      this.#using--
      if (!this.#started && this.#using === 0) await this.#parts.nodes.close()
    }
  }

  async start(): Promise<void> {
    const { leases, nodes } = this.#parts
    this.#started = true
    leases.draining = false
    await nodes.open()
    nodes.tell()
  }

  async stop({ deadline }: StopInfo): Promise<void> {
    const left = await this.#parts.ends.flush(Math.max(0, deadline - this.#timeout - STOP_MARGIN_MS))
    if (left.length > 0) this.#tellUnwritten(left)
    await this.#leave()
  }

  #tellUnwritten(ends: readonly Ending[]): void {
    const ticks = ends.slice(0, MAX_NAMED_TICKS).map(({ subject }) => nameOf(subject))
    const more = ends.length > MAX_NAMED_TICKS ? ` and ${ends.length - MAX_NAMED_TICKS} more` : ''
    this.#host.log.error(
      { ticks, count: ends.length },
      `redis-lock: the stop was over before Redis could be told what became of ${ticks.join(', ')}${more}: ` +
        'the other instances take this for abandoned',
    )
  }

  async #leave(): Promise<void> {
    const { self, keys, nodes, leases, ends } = this.#parts
    this.#started = false
    const left = nodes.all.map((node) => node.tell(LEAVE, [keys.instances(0), ...keys.member(self)], [self]))
    await Promise.allSettled(left)
    leases.close()
    ends.close()
    await nodes.close()
  }
}
