import {
  type Claim,
  type Clock,
  EscapementError,
  type Host,
  type Job,
  type Refusal,
  type Run,
} from '@escapement/core'
import { foldOf } from '@escapement/core/plugin'
import type { CompletionWriter } from '../end/completion-writer.ts'
import { type ClaimTarget, instanceOf, type Keys } from '../keys.ts'
import { type Leases, type Sent, safeLease } from '../lease/lease.ts'
import { delay, type RendezvousRank } from '../members/rendezvous-rank.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Settings } from '../options.ts'
import type { ClaimRequest, ClaimResult, QuorumClaims } from './quorum-claims.ts'
import type { StandbyClaims } from './standby-claims.ts'

/** How long a tick is tried for at most, in ms. */
const CLAIM_WINDOW_MS = 5000
/** How long a tick gives way to an abandoned run of its job. */
const GIVE_WAY_MS = 300
/** How long the answer to a look is waited for before it is asked after, in ms. */
const LOOK_TIMEOUT_MS = 25

export interface ClaimsParts {
  readonly host: Host
  readonly settings: Settings
  readonly keys: Keys
  readonly nodes: Nodes
  readonly quorumClaims: QuorumClaims
  readonly leases: Leases
  readonly ends: CompletionWriter
  readonly ranks: RendezvousRank
  readonly standbyClaims: StandbyClaims
  /** Whether an abandoned run of the job is to come first. */
  contends(job: string): boolean
}

/** Claims ticks: the owner of a job at once, the others when it did not. */
export class Claims {
  readonly #parts: ClaimsParts
  readonly #clock: Clock
  #count = 0

  constructor(parts: ClaimsParts) {
    this.#parts = parts
    this.#clock = parts.host.clock
  }

  /** A name for one claim, that no other instance can have. */
  token(): string {
    return `${this.#parts.ranks.self}.${(this.#count++).toString(36)}`
  }

  /** A tick that another instance was seen to have. */
  seen(run: Run): Refusal | undefined {
    if (run.cause !== 'schedule' && run.cause !== 'catch-up') return
    const token = this.#parts.standbyClaims.take(run.job.name, run.tick.scheduledAt.getTime())
    return token === undefined ? undefined : this.#tell(run, elsewhere(token))
  }

  async claim(run: Run, leased: boolean): Promise<Claim | Refusal> {
    const answer = await this.#try(run, leased)
    return answer.granted ? answer : this.#tell(run, answer)
  }

  #tell(run: Run, refusal: Refusal): Refusal {
    const { host } = this.#parts
    const { by, error } = refusal
    if (refusal.reason === 'claimed-elsewhere') host.emit('claimed-elsewhere', run, { by })
    else if (error) host.emit('claim-unavailable', run, { error })
    return refusal
  }

  /** How long the tick is left to those before us, in ms; then until it has been looked at. */
  claimDelay(job: Job, at: number, now: number): number {
    const { ranks, quorumClaims, standbyClaims, keys } = this.#parts
    const rank = ranks.rank(job.name)
    if (rank === 0) return 0
    const period = periodOf(job, at)
    const ms = delay(rank, period, ranks.spread, quorumClaims.latency)
    const late = now - at
    if (late < ms) return ms
    // Not so long that the next one is due.
    const look = late + Math.min(LOOK_TIMEOUT_MS, period / 40)
    return look > period * 0.9 || standbyClaims.looked(keys.tick(job.name, at)) ? 0 : look
  }

  #subject(run: Run, at: number): ClaimTarget {
    const { keys } = this.#parts
    const { name } = run.job
    if (run.requested) return keys.requested(name, run.key)
    const fold = foldOf(run.tick.id)
    return run.cause === 'after' ? keys.follower(name, at, fold) : keys.tick(name, at, fold)
  }

  /** Round after round, until there is an answer or the time is over. */
  async #try(run: Run, leased: boolean): Promise<Claim | Refusal> {
    const { quorumClaims, standbyClaims, leases, ends, nodes, ranks, settings } = this.#parts
    const { name, policies } = run.job
    const at = run.tick.scheduledAt.getTime()
    const subject = this.#subject(run, at)
    const end = this.#end(run, subject)
    const waits = policies.overlap === 'queue' || policies.overlap === 'cancel-previous'
    const own = new Set<string>()
    const late = run.cause === 'catch-up'
    // What is caught up comes to all instances at once, and so does what waited for Redis.
    let together = late
    if (leased && this.#parts.contends(name)) await this.#sleep(GIVE_WAY_MS)
    let bid: { readonly request: ClaimRequest; sent?: Sent } | undefined
    let asked = false
    // Redis may have granted it and not been able to say so.
    const withdraw = ({ request }: { readonly request: ClaimRequest }) =>
      void ends.end({ ...request, fence: 0, since: this.#clock.monotonic() }, 'undo')
    for (let round = 1; ; round++) {
      const rank = subject.at === undefined ? 0 : ranks.rank(name)
      if (rank > 0 && together) {
        await this.#sleep(delay(rank, periodOf(run.job, at), ranks.spread, quorumClaims.latency))
      }
      bid ??= { request: { subject, token: this.token(), start: 1, leased, state: 'run' } }
      const current = bid
      const { request } = current
      own.add(request.token)
      const decide = () => {
        // Before the first command that may grant it.
        current.sent ??= { monotonic: this.#clock.monotonic(), wall: this.#clock.now() }
        return quorumClaims.decide(request)
      }
      const result = rank > 0 || late ? await standbyClaims.decide(subject, own, end, decide) : await decide()
      if (result.kind === 'down') asked ||= result.asked
      const { sent } = current
      if (result.kind === 'granted' && sent) {
        // An answer that was long under way is worth nothing: the lease may be over.
        // The monotonic clock says nothing of a machine that slept meanwhile.
        const sure = safeLease(settings.lease)
        if (this.#clock.monotonic() < sent.monotonic + sure && this.#clock.now() < sent.wall + sure) {
          const { token } = request
          const rerun = policies.onAbandoned === 'rerun'
          return leases.hold({ subject, token, leased, rerun, start: 1, fence: result.fence, sent })
        }
        withdraw(current)
      }
      if (result.kind === 'taken' && !own.has(result.by)) return elsewhere(result.by)
      if (result.kind === 'busy' && !waits) {
        return { granted: false, reason: 'overlap', by: instanceOf(result.by) }
      }
      const pause = pauseAfter(result, round)
      if (result.kind === 'late' || this.#clock.monotonic() + pause > end) {
        if (asked) withdraw(current)
        return refusal(result, settings)
      }
      await this.#sleep(pause)
      together = result.kind === 'down' || result.kind === 'hold'
      if (result.kind === 'down') await nodes.up(end - this.#clock.monotonic(), subject.shard)
      // One Redis knows its own answer by the token; several might count an old reply for a new one.
      if (result.kind === 'down' && settings.clients.length === 1) continue
      if (asked) withdraw(current)
      asked = false
      bid = undefined
    }
  }

  /** Until when a tick is tried for, on the monotonic clock: the next one must not find it under way. */
  #end(run: Run, { at }: ClaimTarget): number {
    const now = this.#clock.monotonic()
    if (at === undefined) return now + CLAIM_WINDOW_MS
    const period = periodOf(run.job, at)
    const left = at + period - (this.#clock.now() + (this.#parts.nodes.skew ?? 0))
    // What was found late has had its next one.
    return now + Math.min(CLAIM_WINDOW_MS, left > 0 ? left - Math.min(50, period / 10) : period)
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimeout(resolve, ms).unref?.()
    })
  }
}

function elsewhere(token: string): Refusal {
  return { granted: false, reason: 'claimed-elsewhere', by: instanceOf(token) }
}

/** The time to the next tick, in ms: after it, there is no point in trying this one. */
function periodOf(job: Job, at: number): number {
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
  if (result.kind === 'busy') return { granted: false, reason: 'overlap', by: instanceOf(result.by) }
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
