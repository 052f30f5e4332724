import { type Claim, type Clock, EscapementError, type Job, type Refusal, type Run } from '@escapement/core'
import { sleep } from '@escapement/core/plugin'
import type { CompletionWriter } from '../end/completion-writer.ts'
import { type ClaimTarget, instanceOf } from '../keys.ts'
import { type Leases, type Sent, safeLease } from '../lease/lease.ts'
import { delay, type RendezvousRank } from '../members/rendezvous-rank.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Settings } from '../options.ts'
import type { ClaimRequest, ClaimResult, QuorumClaims } from './quorum-claims.ts'
import type { StandbyClaims } from './standby-claims.ts'

export interface ClaimRoundsParts {
  readonly clock: Clock
  readonly settings: Settings
  readonly nodes: Nodes
  readonly quorumClaims: QuorumClaims
  readonly standbyClaims: StandbyClaims
  readonly leases: Leases
  readonly ends: CompletionWriter
  readonly ranks: RendezvousRank
}

/** What is claimed, and for how long it is tried. */
interface Wanted {
  readonly run: Run
  readonly subject: ClaimTarget
  readonly leased: boolean
  /** On the monotonic clock. */
  readonly end: number
  /** A name for one request, that no other has. */
  token(): string
}

/** A request, and when the first command was sent that may have granted it. */
interface Bid {
  readonly request: ClaimRequest
  sent?: Sent
}

/** One claim, asked for round after round, until there is an answer or the time is over. */
export class ClaimRounds {
  readonly #parts: ClaimRoundsParts
  readonly #wanted: Wanted
  readonly #own = new Set<string>()
  #bid: Bid | undefined
  /** Redis may have granted the bid and not been able to say so. */
  #asked = false
  /** What is caught up comes to all instances at once, and so does what waited for Redis. */
  #together: boolean

  constructor(parts: ClaimRoundsParts, wanted: Wanted) {
    this.#parts = parts
    this.#wanted = wanted
    this.#together = wanted.run.cause === 'catch-up'
  }

  async play(): Promise<Claim | Refusal> {
    const { clock, settings } = this.#parts
    for (let round = 1; ; round++) {
      const bid = await this.#take()
      const result = await this.#decide(bid)
      const answer = this.#answer(bid, result)
      if (answer) return answer
      const pause = pauseAfter(result, round)
      if (result.kind === 'late' || clock.monotonic() + pause > this.#wanted.end) {
        if (this.#asked) this.#withdraw(bid)
        return refusal(result, settings)
      }
      await sleep(clock, pause)
      await this.#prepare(bid, result)
    }
  }

  get #rank(): number {
    const { subject, run } = this.#wanted
    return subject.at === undefined ? 0 : this.#parts.ranks.rank(run.job.name)
  }

  /** The bid of this round: when many come at once, the first by rank is the first to ask. */
  async #take(): Promise<Bid> {
    const { clock, ranks, quorumClaims } = this.#parts
    const { run, subject, leased, token } = this.#wanted
    const rank = this.#rank
    if (rank > 0 && this.#together) {
      const period = periodOf(run.job, run.tick.scheduledAt.getTime())
      await sleep(clock, delay(rank, period, ranks.spread, quorumClaims.latency))
    }
    this.#bid ??= { request: { subject, token: token(), start: 1, leased, state: 'run' } }
    this.#own.add(this.#bid.request.token)
    return this.#bid
  }

  async #decide(bid: Bid): Promise<ClaimResult> {
    const { clock, quorumClaims, standbyClaims } = this.#parts
    const { subject, end, run } = this.#wanted
    const decide = () => {
      // Before the first command that may grant it.
      bid.sent ??= { monotonic: clock.monotonic(), wall: clock.now() }
      return quorumClaims.decide(bid.request)
    }
    const waits = this.#rank > 0 || run.cause === 'catch-up'
    const result = waits ? await standbyClaims.decide(subject, this.#own, end, decide) : await decide()
    if (result.kind === 'down') this.#asked ||= result.asked
    return result
  }

  /** What the claim has come to; undefined when it is asked for again. */
  #answer(bid: Bid, result: ClaimResult): Claim | Refusal | undefined {
    if (result.kind === 'granted' && bid.sent) {
      const claim = this.#hold(bid.request, result.fence, bid.sent)
      if (claim) return claim
      this.#withdraw(bid)
    }
    if (result.kind === 'taken' && !this.#own.has(result.by)) return elsewhere(result.by)
    const { overlap } = this.#wanted.run.job.policies
    const waits = overlap === 'queue' || overlap === 'cancel-previous'
    return result.kind === 'busy' && !waits ? overlapping(result.by) : undefined
  }

  /** An answer that was long under way is worth nothing: the lease may be over. */
  #hold({ token }: ClaimRequest, fence: number, sent: Sent): Claim | undefined {
    const { clock, settings, leases } = this.#parts
    const { run, subject, leased } = this.#wanted
    const sure = safeLease(settings.lease)
    // The monotonic clock says nothing of a machine that slept meanwhile.
    if (clock.monotonic() >= sent.monotonic + sure || clock.now() >= sent.wall + sure) return undefined
    const rerun = run.job.policies.onAbandoned === 'rerun'
    return leases.hold({ subject, token, leased, rerun, start: 1, fence, sent })
  }

  /** For the next round. */
  async #prepare(bid: Bid, result: ClaimResult): Promise<void> {
    const { clock, nodes, settings } = this.#parts
    const { end, subject } = this.#wanted
    const down = result.kind === 'down'
    this.#together = down || result.kind === 'hold'
    if (down) await nodes.up(end - clock.monotonic(), subject.shard)
    // One Redis knows its own answer by the token; several might count an old reply for a new one.
    if (down && settings.clients.length === 1) return
    if (this.#asked) this.#withdraw(bid)
    this.#asked = false
    this.#bid = undefined
  }

  #withdraw({ request }: Bid): void {
    const { ends, clock } = this.#parts
    void ends.end({ ...request, fence: 0, since: clock.monotonic() }, 'undo')
  }
}

export function elsewhere(token: string): Refusal {
  return { granted: false, reason: 'claimed-elsewhere', by: instanceOf(token) }
}

function overlapping(token: string): Refusal {
  return { granted: false, reason: 'overlap', by: instanceOf(token) }
}

/** The time to the next tick, in ms: after it, there is no point in trying this one. */
export function periodOf(job: Job, at: number): number {
  const armed = job.next?.getTime()
  const next = armed !== undefined && armed > at ? armed : job.trigger.next(new Date(at))?.getTime()
  return next === undefined ? Infinity : next - at
}

/** How long to wait before the next round, in ms; at random, so that those who collided do not do so again. */
function pauseAfter(result: ClaimResult, round: number): number {
  const random = 0.5 + Math.random()
  switch (result.kind) {
    case 'wait':
    case 'hold':
      return result.ms + 1
    case 'contended':
      return Math.min(8 * 2 ** Math.min(round, 4), 100) * random
    case 'busy':
      return Math.min(25 * round, 250) * random
    case 'abstain':
      return Infinity
    default:
      return Math.min(50 * round, 250) * random
  }
}

/** `final`: Redis has answered, and its answer is no: the policy for a Redis that is down does not apply. */
function refusal(result: ClaimResult, { maxLate }: Settings): Refusal {
  if (result.kind === 'down') {
    return { granted: false, reason: 'claim-unavailable', error: result.error }
  }
  if (result.kind === 'busy') return overlapping(result.by)
  const error = new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', REASON_TEXTS[result.kind] ?? result.kind, {
    cause: result.kind === 'late' ? `maxLate is ${maxLate} ms` : undefined,
  })
  return { granted: false, reason: 'claim-unavailable', final: true, error }
}

const REASON_TEXTS: Partial<Record<ClaimResult['kind'], string>> = {
  late: 'the tick is older than maxLate, and whether it was started before cannot be known any more',
  wait: 'the tick is not due by the clock of Redis',
  hold: 'Redis was restarted or replaced, or its clock was set: no lease is given until those before are over',
  abstain:
    'Redis was restarted or replaced, or its clock was set, after the tick was due: whether it was claimed is not known',
  contended: 'no instance got a majority in time',
}
