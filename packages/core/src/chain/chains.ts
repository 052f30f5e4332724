import type { ActiveRun } from '../run/active-run.ts'
import { scoped } from '../run/context.ts'
import type { Lock, Plugin, Policies, RequestStore } from '../types/index.ts'
import { attempt } from './attempt.ts'
import { claim } from './claim.ts'
import { type Chain, compose, type Link } from './compose.ts'
import { concurrency } from './concurrency.ts'
import type { ChainContext } from './context.ts'
import { guard } from './hooks.ts'
import { missed, missedInFleet } from './missed.ts'
import { overlap } from './overlap.ts'
import { paused } from './paused.ts'
import { retry } from './retry.ts'
import { takeRequest } from './take-request.ts'
import { timeout } from './timeout.ts'

export interface ChainParts {
  readonly context: ChainContext
  readonly plugins: readonly Plugin[]
  readonly lock: Lock | undefined
  /** Where requests for runs wait, when they wait in a durable store. */
  readonly requests: RequestStore | undefined
  /** Runs at a time, over all jobs. */
  readonly concurrency: number
  /** The engine's own link: the first attempt begins. */
  readonly begin: Link
}

/**
 * Puts the links in their order:
 *
 * missed → paused, blackout → overlap → concurrency → claim → run hooks → begin → retry → attempt hooks → timeout →
 * attempt (executor → handler)
 */
export class Chains {
  readonly #parts: ChainParts
  /** Those that all jobs share, up to the run hooks. */
  readonly #first: readonly Link[]
  readonly #overlap: Link
  readonly #around: readonly Link[]
  readonly #chains = new Map<string, Chain>()

  constructor(parts: ChainParts) {
    const { context, lock, requests, concurrency: limit } = parts
    const monotonic = () => context.clock.monotonic()
    this.#parts = parts
    this.#first = [lock ? missedInFleet(lock, monotonic) : missed, paused(context.troubles)]
    this.#overlap = overlap((serial) => context.inFlightRun(serial))
    this.#around = [
      ...(Number.isFinite(limit) ? [concurrency(limit, monotonic)] : []),
      ...(lock ? [claim(lock, monotonic)] : requests ? [takeRequest(requests)] : []),
      ...this.#hooks('run'),
    ]
  }

  /** The chain of a job. Jobs that have the same links share it. */
  of({ overlap, retry, timeout }: Policies): Chain {
    const policies = {
      exclusive: overlap !== 'allow',
      retried: retry !== undefined,
      limited: timeout !== undefined,
    }
    const key = JSON.stringify(policies)
    const chain = this.#chains.get(key) ?? this.#build(policies)
    this.#chains.set(key, chain)
    return chain
  }

  #build({ exclusive, retried, limited }: { exclusive: boolean; retried: boolean; limited: boolean }): Chain {
    const { context, begin } = this.#parts
    const within = [...this.#hooks('attempt'), ...(limited ? [timeout(context.clock)] : [])]
    const attempts = isolated(within, compose(within, attempt))
    const started = compose(retried ? [begin, retry(context)] : [begin], attempts)
    const links = [...this.#first, ...(exclusive ? [this.#overlap] : []), ...this.#around]
    return isolated([...this.#around, ...within], compose(links, started))
  }

  #hooks(kind: 'run' | 'attempt'): Link[] {
    return this.#parts.plugins.flatMap(({ name, hooks }) => {
      const hook = hooks?.[kind]
      const source = `${name}.${kind}`
      const report = (error: unknown, run: ActiveRun) => this.#parts.context.report(error, { source, run })
      return hook ? [guard(hook, report)] : []
    })
  }
}

/** What a link enters in its async context is not seen by other runs and attempts. */
function isolated(links: readonly Link[], chain: Chain): Chain {
  return links.length > 0 ? scoped(chain) : chain
}
