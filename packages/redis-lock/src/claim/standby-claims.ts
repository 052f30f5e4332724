import { type Clock, EscapementError } from '@escapement/core'
import { Batch, groupBy } from '../batch.ts'
import { type ClaimTarget, parseRecord } from '../keys.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { RunObserver } from '../nodes/run-observer.ts'
import type { ClaimResult } from './quorum-claims.ts'

/** The number of standby claims in flight: help must not be what Redis is busy with. */
const MAX_CLAIMS_AT_ONCE = 64

interface Look {
  readonly subject: ClaimTarget
  /** The token that has it; undefined if nobody is known to. */
  readonly resolve: (token: string | undefined) => void
}

interface Seen {
  readonly at: ClaimTarget['at']
  answered: boolean
  token: string | undefined
}

/**
 * Claims that can wait: ticks of other instances' jobs, a little after the instant, and those found too late. Looks
 * first whether somebody has claimed them, many at a time with one MGET.
 */
export class StandbyClaims {
  readonly #nodes: Nodes
  readonly #observer: RunObserver
  readonly #clock: Clock
  readonly #batch = new Batch<Look>((looks) => void this.#read(looks), 1000)
  #free = MAX_CLAIMS_AT_ONCE
  readonly #line: (() => void)[] = []
  /** What a look at a job's tick has told, until the tick is claimed. */
  readonly #seen = new Map<string, Seen>()

  constructor(nodes: Nodes, observer: RunObserver, clock: Clock) {
    this.#nodes = nodes
    this.#observer = observer
    this.#clock = clock
  }

  /** Whether the tick has been looked at; if not, that is done now. */
  looked(subject: ClaimTarget): boolean {
    const { job, at } = subject
    const seen = this.#seen.get(job)
    if (seen && seen.at === at) return seen.answered
    const next: Seen = { at, answered: false, token: undefined }
    this.#seen.set(job, next)
    const resolve = (token: string | undefined) => {
      next.answered = true
      next.token = token
    }
    this.#batch.add({ subject, resolve })
    return false
  }

  /** The token that was seen to have the tick. */
  take(job: string, at: number): string | undefined {
    const seen = this.#seen.get(job)
    this.#seen.delete(job)
    return seen?.at === at ? seen.token : undefined
  }

  /** Calls `decide` if no token but one of ours has it, when it is this tick's turn, and not after `end` (monotonic, ms). */
  async decide(
    subject: ClaimTarget,
    own: ReadonlySet<string>,
    end: number,
    decide: () => Promise<ClaimResult>,
  ): Promise<ClaimResult> {
    const taken = await this.#look(subject, own)
    if (taken) return taken
    if (this.#free > 0) this.#free--
    else {
      await new Promise<void>((resolve) => this.#line.push(resolve))
      const over = this.#clock.monotonic() >= end ? OVERLOADED : await this.#look(subject, own)
      if (over) {
        this.#leave()
        return over
      }
    }
    return decide().finally(() => this.#leave())
  }

  #leave(): void {
    const next = this.#line.shift()
    if (next) next()
    else this.#free++
  }

  async #look(subject: ClaimTarget, own: ReadonlySet<string>): Promise<ClaimResult | undefined> {
    const token = await new Promise<string | undefined>((resolve) => this.#batch.add({ subject, resolve }))
    return token === undefined || own.has(token) ? undefined : { kind: 'taken', by: token }
  }

  async #read(looks: Look[]): Promise<void> {
    for (const group of groupBy(looks, ({ subject }) => subject.shard)) {
      const node = this.#nodes.any(group[0]?.subject.shard)
      const records = await node?.mget(group.map(({ subject }) => subject.key)).catch(() => undefined)
      for (const [i, { subject, resolve }] of group.entries()) {
        const record = parseRecord(records?.[i])
        if (node && record?.state === 'run') this.#observer.saw(node, subject, record.token)
        resolve(record?.token)
      }
    }
  }
}

const OVERLOADED: ClaimResult = {
  kind: 'down',
  error: new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', 'Redis was too slow to decide all ticks in time'),
  asked: false,
}
