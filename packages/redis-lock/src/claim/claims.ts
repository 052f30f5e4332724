import type { Claim, Clock, Host, Job, Refusal, Run } from '@escapement/core'
import { foldOf, sleep } from '@escapement/core/plugin'
import type { ClaimTarget, Keys } from '../keys.ts'
import { delay } from '../members/rendezvous-rank.ts'
import { ClaimRounds, type ClaimRoundsParts, elsewhere, periodOf } from './claim-rounds.ts'

/** How long a tick is tried for at most, in ms. */
const CLAIM_WINDOW_MS = 5000
/** How long a tick gives way to an abandoned run of its job. */
const GIVE_WAY_MS = 300
/** How long the answer to a look is waited for before it is asked after, in ms. */
const LOOK_TIMEOUT_MS = 25

export interface ClaimsParts extends ClaimRoundsParts {
  readonly host: Host
  readonly keys: Keys
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
    this.#clock = parts.clock
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

  /** Asks until there is an answer or the time is over. */
  async #try(run: Run, leased: boolean): Promise<Claim | Refusal> {
    const subject = this.#subject(run, run.tick.scheduledAt.getTime())
    const end = this.#end(run, subject)
    if (leased && this.#parts.contends(run.job.name)) await sleep(this.#clock, GIVE_WAY_MS)
    return new ClaimRounds(this.#parts, { run, subject, leased, end, token: () => this.token() }).play()
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
}
