import type { Host, Run, Tick } from '@escapement/core'
import { sleep } from '@escapement/core/plugin'
import type { ClaimRequest, ClaimResult, QuorumClaims } from '../claim/quorum-claims.ts'
import type { CompletionWriter } from '../end/completion-writer.ts'
import type { Records } from '../end/records.ts'
import { type ClaimTarget, instanceOf, nameOf, type TickRecord, tickOf } from '../keys.ts'
import type { Hold, Leases, Sent } from '../lease/lease.ts'
import type { Settings } from '../options.ts'

/** When to try again a rerun that met another run of its job, in ms. */
const RETRY_DELAY_MS = 100
/** How long stores and loggers have for what was reported, before a run is started again that may end this process, in ms. */
const REPORT_TIME_MS = 100

/** A run that nobody holds any more. */
export interface Case {
  readonly subject: ClaimTarget
  /** Another instance has seen it under way, and Redis has forgotten it. */
  readonly witnessed?: boolean
  /** The instance that had it then, if known. */
  readonly by?: string | undefined
  /** All instances that can say how it went on, if Redis has forgotten that, have had the time to. */
  readonly late?: boolean
  /** Whether nobody answers for it any more; given what is noted of it. */
  readonly admits?: (latest: TickRecord | undefined) => boolean
}

export interface RecoverParts {
  readonly host: Host
  readonly settings: Settings
  readonly records: Records
  readonly quorumClaims: QuorumClaims
  readonly leases: Leases
  readonly ends: CompletionWriter
  token(): string
}

/** A start that was asked for, and the answer. */
interface AskedClaim {
  readonly request: ClaimRequest
  readonly sent: Sent
  readonly result: ClaimResult
}

/** Takes over runs whose instance is not seen alive any more: runs their tick again, or notes it as lost. */
export class Recover {
  readonly #parts: RecoverParts
  readonly #busy = new Set<string>()
  /** What is being told. */
  readonly #telling = new Set<Promise<unknown>>()
  /** To be started again when the run of the same job that is under way here has ended: the next one would come first. */
  readonly #waiting = new Map<string, Case>()
  /** Jobs whose abandoned run is about to be started again here. */
  readonly #contending = new Set<string>()
  /** Runs again that have not ended, by tick id. */
  readonly #reruns = new Map<string, Hold>()

  constructor(parts: RecoverParts) {
    this.#parts = parts
    parts.host.on('settled', (run) => this.#settled(run))
  }

  /** Whether a tick of this job should let an abandoned run come first: a job that is always busy would never run it again. */
  contends(job: string): boolean {
    return this.#contending.has(job)
  }

  /** Never rejects. What is only told comes first: a run that is started again may end this process. */
  async take(cases: readonly Case[]): Promise<void> {
    const free = cases.filter(({ subject }) => !this.#busy.has(subject.member) && this.#concerns(subject))
    for (const { subject } of free) this.#busy.add(subject.member)
    try {
      const told = Promise.all(free.map((one) => this.#open(one).catch(() => undefined)))
      this.#telling.add(told)
      const again = (await told).flatMap((rerun) => rerun ?? [])
      this.#telling.delete(told)
      if (again.length === 0) return
      if (again.length < free.length) await sleep(this.#parts.host.clock, REPORT_TIME_MS)
      await Promise.all(this.#telling)
      await Promise.all(again.map((rerun) => rerun().catch(() => {})))
    } finally {
      for (const { subject } of free) this.#busy.delete(subject.member)
    }
  }

  /** Another instance may have the job; when it is old, any will do. */
  #concerns(subject: ClaimTarget): boolean {
    const { host, records } = this.#parts
    return (
      subject.instant === undefined ||
      host.job(subject.job) !== undefined ||
      records.isAged(subject, undefined)
    )
  }

  /** Closes it, or returns how it is started again. */
  async #open(one: Case): Promise<(() => Promise<void>) | undefined> {
    const { host, settings, records } = this.#parts
    const { subject, by } = one
    const found = await records.read(subject)
    if (found.over) return records.clear(subject, found.over)
    if (found.silent) return
    if (found.stray) return records.withdraw(subject, found.stray)
    const { latest } = found
    if (one.admits && !one.admits(latest)) return
    const starts = latest?.start ?? 1
    const job = host.job(subject.job)
    const aged = records.isAged(subject, latest)
    if (!job && !aged) return
    const again = job?.policies.onAbandoned === 'rerun' && subject.instant !== undefined && !aged
    if (again && starts <= settings.maxRestarts) {
      const leased = job.policies.overlap !== 'allow'
      if (leased && job.running > 0) {
        this.#waiting.set(subject.member, one)
        return
      }
      return () => this.#again(one, starts, leased, latest)
    }
    await this.#lose(one, starts, latest ? instanceOf(latest.token) : by, latest?.fence)
  }

  async #again(one: Case, starts: number, leased: boolean, latest: TickRecord | undefined): Promise<void> {
    const { leases, ends } = this.#parts
    const { subject } = one
    const asked = await this.#claim(one, starts, leased)
    if (!asked) return
    const { request, sent, result } = asked
    if (result.kind === 'granted') {
      const { fence, start } = result
      const hold = leases.hold({ ...request, start, fence, sent, rerun: true })
      if (hold.held()) this.#rerun(subject, hold)
      else await hold.release()
      return
    }
    if (result.kind === 'down' && result.asked) {
      void ends.end({ ...request, fence: 0, since: sent.monotonic }, 'undo')
    }
    if (result.kind !== 'abstain') return
    await this.#lose(one, starts, latest ? instanceOf(latest.token) : one.by, latest?.fence)
  }

  /** Asks for one more start; resolves to nothing where it cannot be known yet how the run went on. */
  async #claim(one: Case, starts: number, leased: boolean): Promise<AskedClaim | undefined> {
    const { maxRestarts, scan } = this.#parts.settings
    let asked = await this.#ask(one.subject, starts + 1, leased, false)
    // Where the job has more to do than it can, its lease is free only for moments.
    const end = asked.sent.monotonic + scan
    while (asked.result.kind === 'busy' && this.#now().monotonic < end) {
      await sleep(this.#parts.host.clock, RETRY_DELAY_MS * Math.random())
      asked = await this.#ask(one.subject, starts + 1, leased, false)
    }
    if (asked.result.kind !== 'unknown') return asked
    if (!one.late) return
    // Above all starts that can have been given.
    const start = Math.max(starts, maxRestarts + 1) + 1 + asked.result.births
    return this.#ask(one.subject, start, leased, true)
  }

  async #ask(subject: ClaimTarget, start: number, leased: boolean, accepted: boolean): Promise<AskedClaim> {
    const { quorumClaims, token } = this.#parts
    const request: ClaimRequest = { subject, token: token(), start, leased, state: 'run', accepted }
    return { request, sent: this.#now(), result: await quorumClaims.decide(request) }
  }

  #rerun(subject: ClaimTarget, hold: Hold): void {
    const { host } = this.#parts
    const tick = tickOf(subject) as Tick
    const { id, job } = tick
    this.#reruns.set(id, hold)
    host.log.warn({ job, tick: id, restarts: hold.restarts }, `${id} was abandoned and is run again`)
    host.rerun(tick, hold)
  }

  /** A run may be decided before it comes to its claim: paused, or overlapping one of this process. */
  #settled(run: Run): void {
    for (const [member, one] of this.#waiting) {
      if (one.subject.job !== run.job.name) continue
      this.#waiting.delete(member)
      this.#contending.add(run.job.name)
      void sleep(this.#parts.host.clock, 1)
        .then(() => this.take([one]))
        .finally(() => this.#contending.delete(run.job.name))
    }
    if (run.cause !== 'rerun') return
    const hold = this.#reruns.get(run.tick.id)
    this.#reruns.delete(run.tick.id)
    if (!hold || hold.ended) return
    if (run.reason !== 'overlap') void hold.complete(run.outcome ?? 'skipped')
    else void hold.release().then(() => this.#lookSoon(hold.subject))
  }

  /** Most overlaps are short: another tick was just being claimed. */
  #lookSoon(subject: ClaimTarget): void {
    void sleep(this.#parts.host.clock, RETRY_DELAY_MS).then(() => this.take([{ subject }]))
  }

  /** A run of which Redis has forgotten how it went on, and nobody else knows, is closed without a word. */
  async #lose(one: Case, starts: number, by?: string, fence?: number): Promise<void> {
    const { subject } = one
    let result = await this.#claimLost(subject, starts + 1, false)
    const unknown = result.kind === 'unknown' && !one.witnessed
    if (result.kind === 'unknown') {
      if (unknown && !one.late) return
      result = await this.#claimLost(subject, starts + 1, true)
    }
    if (result.kind !== 'granted') return
    if (unknown) this.#doubt(subject)
    else this.#tell(subject, starts, by, fence)
  }

  #claimLost(subject: ClaimTarget, start: number, accepted: boolean): Promise<ClaimResult> {
    const { quorumClaims, token } = this.#parts
    return quorumClaims.decide({ subject, token: token(), start, leased: false, state: 'lost', accepted })
  }

  #doubt(subject: ClaimTarget): void {
    const tick = nameOf(subject)
    this.#parts.host.log.warn(
      { job: subject.job, tick },
      `redis-lock: whether ${tick} came to its end is not known: Redis has forgotten it, and no instance is left that saw it`,
    )
  }

  #tell(subject: ClaimTarget, starts: number, by: string | undefined, fence: number | undefined): void {
    const { host } = this.#parts
    const { job } = subject
    const tick = tickOf(subject)
    const id = nameOf(subject)
    if (tick) {
      const cause = subject.at === undefined ? 'after' : 'schedule'
      const known = { ...(by !== undefined && { instance: by }), ...(fence !== undefined && { fence }) }
      host.abandon(tick, { restarts: starts - 1, cause, ...known })
    } else {
      host.log.error({ job, run_id: id, by }, `a run of ${job} was abandoned by ${by}`)
    }
    host.emit('tick-lost', { job, tick: id, scheduledAt: tick?.scheduledAt, by, starts })
  }

  #now(): Sent {
    const { clock } = this.#parts.host
    return { monotonic: clock.monotonic(), wall: clock.now() }
  }
}
