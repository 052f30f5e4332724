import {
  type Claim,
  type Clock,
  EscapementError,
  type Host,
  type Job,
  type Refusal,
  type Run,
} from '@escapement/core'
import type { Backups } from './backups.ts'
import type { Ballot, Motion, Sent, Verdict } from './ballot.ts'
import type { Ends } from './ends.ts'
import { instanceOf, type Keys, type Subject } from './keys.ts'
import { type Leases, sureOf } from './lease.ts'
import type { Nodes } from './nodes.ts'
import type { Settings } from './options.ts'
import { delay, type Owners } from './owner.ts'

/** How long a tick is tried for at most, in ms. */
const WINDOW = 5000
/** How long a tick gives way to an abandoned run of its job. */
const GIVE_WAY_MS = 300
/** How long the answer to a look is waited for before it is asked after, in ms. */
const LOOK = 25

export interface ClaimsParts {
  readonly host: Host
  readonly settings: Settings
  readonly keys: Keys
  readonly nodes: Nodes
  readonly ballot: Ballot
  readonly leases: Leases
  readonly ends: Ends
  readonly owners: Owners
  readonly backups: Backups
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
    return `${this.#parts.owners.self}.${(this.#count++).toString(36)}`
  }

  /** A tick that another instance was seen to have. */
  seen(run: Run): Refusal | undefined {
    if (run.cause !== 'schedule' && run.cause !== 'catch-up') return
    const token = this.#parts.backups.take(run.job.name, run.tick.scheduledAt.getTime())
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
    const { owners, ballot, backups, keys } = this.#parts
    const rank = owners.rank(job.name)
    if (rank === 0) return 0
    const period = periodOf(job, at)
    const ms = delay(rank, period, owners.spread, ballot.latency)
    const late = now - at
    if (late < ms) return ms
    // Not so long that the next one is due.
    const look = late + Math.min(LOOK, period / 40)
    return look > period * 0.9 || backups.looked(keys.tick(job.name, at)) ? 0 : look
  }

  #subject(run: Run, at: number): Subject {
    const { keys } = this.#parts
    const { name } = run.job
    if (run.cause === 'manual') return keys.requested(name, run.key)
    return run.cause === 'after' ? keys.follower(name, at) : keys.tick(name, at)
  }

  /** Round after round, until there is an answer or the time is over. */
  async #try(run: Run, leased: boolean): Promise<Claim | Refusal> {
    const { ballot, backups, leases, ends, nodes, owners, settings } = this.#parts
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
    let bid: { readonly motion: Motion; sent?: Sent } | undefined
    let asked = false
    // Redis may have granted it and not been able to say so.
    const withdraw = ({ motion }: { readonly motion: Motion }) =>
      void ends.end({ ...motion, fence: 0, since: this.#clock.monotonic() }, 'undo')
    for (let round = 1; ; round++) {
      const rank = subject.at === undefined ? 0 : owners.rank(name)
      if (rank > 0 && together) {
        await this.#sleep(delay(rank, periodOf(run.job, at), owners.spread, ballot.latency))
      }
      bid ??= { motion: { subject, token: this.token(), start: 1, leased, state: 'run' } }
      const current = bid
      const { motion } = current
      own.add(motion.token)
      const vote = () => {
        // Before the first command that may grant it.
        current.sent ??= { monotonic: this.#clock.monotonic(), wall: this.#clock.now() }
        return ballot.vote(motion)
      }
      const verdict = rank > 0 || late ? await backups.vote(subject, own, end, vote) : await vote()
      if (verdict.kind === 'down') asked ||= verdict.asked
      const { sent } = current
      if (verdict.kind === 'granted' && sent) {
        // An answer that was long under way is worth nothing: the lease may be over.
        // The monotonic clock says nothing of a machine that slept meanwhile.
        const sure = sureOf(settings.lease)
        if (this.#clock.monotonic() < sent.monotonic + sure && this.#clock.now() < sent.wall + sure) {
          const { token } = motion
          const rerun = policies.onAbandoned === 'rerun'
          return leases.hold({ subject, token, leased, rerun, start: 1, fence: verdict.fence, sent })
        }
        withdraw(current)
      }
      if (verdict.kind === 'taken' && !own.has(verdict.by)) return elsewhere(verdict.by)
      if (verdict.kind === 'busy' && !waits) {
        return { granted: false, reason: 'overlap', by: instanceOf(verdict.by) }
      }
      const pause = pauseAfter(verdict, round)
      if (verdict.kind === 'late' || this.#clock.monotonic() + pause > end) {
        if (asked) withdraw(current)
        return refusal(verdict, settings)
      }
      await this.#sleep(pause)
      together = verdict.kind === 'down' || verdict.kind === 'hold'
      if (verdict.kind === 'down') await nodes.up(end - this.#clock.monotonic(), subject.shard)
      // One Redis knows its own answer by the token; several might count an old vote for a new one.
      if (verdict.kind === 'down' && settings.clients.length === 1) continue
      if (asked) withdraw(current)
      asked = false
      bid = undefined
    }
  }

  /** Until when a tick is tried for, on the monotonic clock: the next one must not find it under way. */
  #end(run: Run, { at }: Subject): number {
    const now = this.#clock.monotonic()
    if (at === undefined) return now + WINDOW
    const period = periodOf(run.job, at)
    const left = at + period - (this.#clock.now() + (this.#parts.nodes.skew ?? 0))
    // What was found late has had its next one.
    return now + Math.min(WINDOW, left > 0 ? left - Math.min(50, period / 10) : period)
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
function pauseAfter(verdict: Verdict, round: number): number {
  const random = 0.5 + Math.random()
  switch (verdict.kind) {
    case 'wait':
    case 'hold':
      return verdict.ms + 1
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
function refusal(verdict: Verdict, { maxLate }: Settings): Refusal {
  if (verdict.kind === 'down') {
    return { granted: false, reason: 'claim-unavailable', error: verdict.error }
  }
  if (verdict.kind === 'busy') return { granted: false, reason: 'overlap', by: instanceOf(verdict.by) }
  const error = new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', WHY[verdict.kind] ?? verdict.kind, {
    cause: verdict.kind === 'late' ? `maxLate is ${maxLate} ms` : undefined,
  })
  return { granted: false, reason: 'claim-unavailable', final: true, error }
}

const WHY: Partial<Record<Verdict['kind'], string>> = {
  late: 'the tick is older than maxLate, and whether it was started before cannot be known any more',
  wait: 'the tick is not due by the clock of Redis',
  hold: 'Redis was restarted or replaced, or its clock was set: no lease is given until those before are over',
  abstain:
    'Redis was restarted or replaced, or its clock was set, after the tick was due: whether it was claimed is not known',
  contended: 'no instance got a majority in time',
}
