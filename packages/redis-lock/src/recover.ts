import type { Host, Run } from '@escapement/core'
import type { Ballot, Motion } from './ballot.ts'
import { instanceOf, type Keys, nameOf, parseRecord, type Subject, type TickRecord } from './keys.ts'
import type { Hold, Leases } from './lease.ts'
import type { Node } from './node.ts'
import type { Nodes } from './nodes.ts'
import type { Settings } from './options.ts'
import { END } from './scripts/index.ts'

/** When to try again a rerun that met another run of its job, in ms. */
const AGAIN = 100

export interface RecoverParts {
  readonly host: Host
  readonly settings: Settings
  readonly keys: Keys
  readonly nodes: Nodes
  readonly ballot: Ballot
  readonly leases: Leases
  token(): string
}

/** Takes up runs whose instance was heard of no more: runs their tick again, or notes it as lost. */
export class Recover {
  readonly #parts: RecoverParts
  readonly #busy = new Set<string>()
  /** Runs again that have not ended, by tick id. */
  readonly #reruns = new Map<string, Hold>()

  constructor(parts: RecoverParts) {
    this.#parts = parts
    parts.host.on('settled', (run) => this.#settled(run))
  }

  /** Members of `open` whose lease is over, as seen by one node; `by`: who had it, where Redis cannot tell any more. */
  look(stale: readonly string[], by?: string): void {
    for (const member of stale) {
      const subject = this.#parts.keys.parse(member)
      if (!subject || this.#busy.has(member)) continue
      this.#busy.add(member)
      void this.#recover(subject, by)
        .catch(() => {})
        .finally(() => this.#busy.delete(member))
    }
  }

  async #recover(subject: Subject, by?: string): Promise<void> {
    const { host, settings, ballot, leases, nodes } = this.#parts
    const records = await Promise.all(
      nodes.all.map((node) =>
        node.mget([subject.key]).then(
          ([text]) => parseRecord(text),
          () => undefined,
        ),
      ),
    )
    const latest = records.reduce((a, b) => ((b?.start ?? 0) > (a?.start ?? 0) ? b : a), undefined)
    const lost = records.filter((record) => record?.state === 'lost')
    // Only who ran it writes `done`; `lost` is decided by the majority.
    const over =
      records.find((record) => record?.state === 'done') ??
      (lost.length >= nodes.quorum ? lost[0] : undefined)
    if (over) return this.#clear(subject, over)

    const starts = latest?.start ?? 1
    const job = host.job(subject.job)
    const aged =
      subject.instant !== undefined && this.#age(subject.instant) > settings.retention - settings.maxLate
    // Another instance may have the job.
    if (!job && !aged) return
    const again = job?.policies.onAbandoned === 'rerun' && subject.instant !== undefined && !aged
    if (again && starts < settings.maxStarts) {
      const leased = job.policies.overlap !== 'allow'
      if (leased && job.running > 0) return
      const motion: Motion = { subject, token: this.#parts.token(), start: starts + 1, leased, state: 'run' }
      const sent = { monotonic: host.clock.monotonic(), wall: host.clock.now() }
      const verdict = await ballot.vote(motion)
      if (verdict.kind === 'granted') {
        const { fence } = verdict
        const hold = leases.hold({ subject, token: motion.token, leased, start: starts + 1, fence, sent })
        if (hold.held()) this.#rerun(subject, hold)
        else await hold.undo()
        return
      }
      if (verdict.kind === 'down') void ballot.withdraw([motion])
      if (verdict.kind !== 'abstain') return
    }
    await this.#lose(subject, starts, latest ? instanceOf(latest.token) : by, latest?.fence)
  }

  #rerun(subject: Subject, hold: Hold): void {
    const { host } = this.#parts
    const scheduledAt = new Date(subject.instant as number)
    const id = nameOf(subject)
    this.#reruns.set(id, hold)
    host.log.warn({ job: subject.job, tick: id, start: hold.start }, `${id} was abandoned and is run again`)
    host.rerun({ id, job: subject.job, scheduledAt }, hold)
  }

  /** A run may be decided before it comes to its claim: paused, or overlapping one of this process. */
  #settled(run: Run): void {
    if (run.trigger !== 'rerun') return
    const hold = this.#reruns.get(run.tick.id)
    this.#reruns.delete(run.tick.id)
    if (!hold || hold.ended) return
    if (run.reason !== 'overlap') void hold.finish(run.outcome ?? 'skipped')
    else void hold.undo().then(() => this.#lookSoon(hold.subject.member))
  }

  /** Most overlaps are short: another tick was just being claimed. */
  #lookSoon(member: string): void {
    this.#parts.host.clock.setTimeout(() => this.look([member]), AGAIN).unref?.()
  }

  async #lose(subject: Subject, starts: number, by?: string, fence?: number): Promise<void> {
    const { host, ballot } = this.#parts
    const motion: Motion = {
      subject,
      token: this.#parts.token(),
      start: starts + 1,
      leased: false,
      state: 'lost',
    }
    const verdict = await ballot.vote(motion)
    if (verdict.kind !== 'granted') return
    const scheduledAt = subject.instant === undefined ? undefined : new Date(subject.instant)
    const tick = nameOf(subject)
    if (scheduledAt) {
      const trigger = subject.at === undefined ? 'after' : 'schedule'
      const known = { ...(by !== undefined && { instance: by }), ...(fence !== undefined && { fence }) }
      host.abandon({ id: tick, job: subject.job, scheduledAt }, { start: starts, trigger, ...known })
    } else {
      host.log.error({ job: subject.job, run_id: tick, by }, `a run of ${subject.job} was abandoned by ${by}`)
    }
    host.emit('tick-lost', { job: subject.job, tick, scheduledAt, by, starts })
  }

  /** A node that missed the end of a run learns of it. */
  async #clear(subject: Subject, over: TickRecord): Promise<void> {
    const { keys, nodes, settings } = this.#parts
    const ks = [keys.open(subject.shard), subject.key, keys.job(subject.job), keys.prepared(subject.job)]
    const args = [settings.retention, 3, 'clear', over.token, over.start, over.fence, subject.member, 0]
    await Promise.allSettled(nodes.all.map((node: Node) => node.tell(END, ks, args)))
  }

  #age(at: number): number {
    const { clock } = this.#parts.host
    return clock.now() + (this.#parts.nodes.skew ?? 0) - at
  }
}
