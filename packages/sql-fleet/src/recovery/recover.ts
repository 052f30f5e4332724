import { randomUUID } from 'node:crypto'
import type { Claim, Host, Job, Run, Tick } from '@escapement/core'
import { foldOf } from '@escapement/core/plugin'
import { type Backend, type ClaimRow, MUTEX, type OwnClaim } from '../backend.ts'
import type { SqlLock } from '../claims/lock.ts'

/** An orphan of a job that no instance has is ended after this time. */
const UNKNOWN_JOB_MS = 300_000
/** Orphans of one page, and pages of one look. The next look goes on behind them. */
const PAGE_SIZE = 1_000
const MAX_PAGES = 10
/** Take-overs and ends whose answer was lost are expected for so long. */
const DOUBT_MS = 600_000

export interface RecoverParts {
  readonly backend: Backend
  readonly host: Host
  readonly maxRestarts: number
  /** Undefined when another plugin brings the lock. */
  readonly lock: SqlLock | undefined
  readonly owner: () => string | undefined
  /** Instances were declared dead. */
  onLost(instances: readonly string[]): Promise<void>
}

/** An orphan of which it is not known what became of it. */
interface Doubt {
  readonly orphan: ClaimRow
  /** On the monotonic clock. */
  readonly since: number
}

/** What is done with an orphan. */
type Fate = 'end' | 'rerun' | 'leave' | 'delete'

/** Finds the runs of instances that died: runs their tick again, or ends them as abandoned. */
export class Recover {
  readonly #parts: RecoverParts
  /** Orphans of jobs that are not here, by key: since when they are known, on the monotonic clock. */
  #unknown = new Map<string, number>()
  /** Runs again that have not ended, by tick. */
  readonly #reruns = new Map<string, Claim>()
  /** Take-overs and ends whose answer was lost: whether they took effect is not known. */
  readonly #takeOvers = new Map<string, Doubt>()
  readonly #marked = new Map<string, Doubt>()
  /** Written with the orphans that are ended here: it outlives the owner. */
  readonly #mark = randomUUID()
  #after = ''
  #looking: Promise<void> | undefined

  constructor(parts: RecoverParts) {
    this.#parts = parts
  }

  /**
   * Looks once. A call while it is looking waits for that.
   *
   * @param options `rerun: false` leaves what is to run again for later. A tick that waits for its claim would be in its way.
   */
  look({ rerun = true }: { rerun?: boolean } = {}): Promise<void> {
    this.#looking ??= this.#look(rerun).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** A run has ended. One that could not begin here is left to be taken over again. */
  settled(run: Run): void {
    const claim = run.cause === 'rerun' && this.#reruns.get(run.key)
    if (!claim) return
    this.#reruns.delete(run.key)
    if (run.attempt === 0 && claim.held()) void claim.release()
  }

  /** Puts right what is in the database under our name and not in our hands. */
  async reconcile(): Promise<void> {
    const { lock } = this.#parts
    const owner = this.#parts.owner()
    if (owner === undefined) return
    await this.#confirmMarked()
    const now = this.#parts.host.clock.monotonic()
    for (const doubts of [this.#takeOvers, this.#marked])
      for (const [key, { since }] of doubts) if (now - since > DOUBT_MS) doubts.delete(key)
    if (!lock) return
    const ghosts: ClaimRow[] = []
    for (const claim of await lock.unknown()) {
      const taken = this.#takeOvers.get(claim.token)
      if (!taken || claim.fence === undefined) ghosts.push(claim)
      else this.#rerun(taken.orphan, { token: claim.token, owner: claim.owner, fence: claim.fence })
    }
    await lock.withdraw(ghosts)
  }

  async #look(rerun: boolean): Promise<void> {
    const { backend } = this.#parts
    const lost = await backend.declareDead(this.#parts.owner())
    if (lost.length > 0) await this.#parts.onLost(lost)
    const again: ClaimRow[] = []
    const seen = new Map<string, number>()
    for (let page = 0; page < MAX_PAGES; page++) {
      const orphans = await backend.orphans(this.#after, PAGE_SIZE)
      const fates: Record<Fate, ClaimRow[]> = { end: [], rerun: [], leave: [], delete: [] }
      for (const orphan of orphans) fates[this.#fateOf(orphan, seen)].push(orphan)
      // Those that died for good are reported before anything is run again: a rerun may end this process.
      await this.#end(fates.end)
      if (fates.delete.length > 0) await backend.deleteClaims(fates.delete)
      again.push(...fates.rerun)
      this.#after = orphans.length < PAGE_SIZE ? '' : (orphans.at(-1) as ClaimRow).key
      if (this.#after === '') break
    }
    if (this.#after === '') this.#unknown = seen
    else for (const [key, since] of seen) this.#unknown.set(key, since)
    await this.#closeRuns()
    if (rerun) for (const orphan of again) await this.#takeOver(orphan)
  }

  #fateOf(orphan: ClaimRow, seen: Map<string, number>): Fate {
    const { host, lock, maxRestarts } = this.#parts
    if (orphan.job.startsWith(MUTEX)) return 'delete'
    const job = host.job(orphan.job)
    if (!job && orphan.rerun && !this.#isOld(orphan.key, seen)) return 'leave'
    const again = orphan.rerun && job?.policies.onAbandoned === 'rerun'
    if (!lock || !again || orphan.start > maxRestarts) return 'end'
    // Its handler may still work here, deaf to the abort.
    return job.policies.overlap === 'allow' || job.running === 0 ? 'rerun' : 'leave'
  }

  async #end(orphans: readonly ClaimRow[]): Promise<void> {
    if (orphans.length === 0 || this.#parts.owner() === undefined) return
    const since = this.#parts.host.clock.monotonic()
    const first = orphans.filter(({ key }) => !this.#marked.has(key))
    // Until the answer is there: it may be lost.
    for (const orphan of first) this.#marked.set(orphan.key, { orphan, since })
    this.#tellMarked(await this.#parts.backend.markAbandoned(orphans, this.#mark))
    // Somebody was faster. Of the others an earlier try may have been written.
    for (const { key } of first) this.#marked.delete(key)
  }

  async #takeOver(orphan: ClaimRow): Promise<void> {
    const { backend, host, lock } = this.#parts
    const owner = this.#parts.owner()
    const job: Job | undefined = host.job(orphan.job)
    // The one before it may have begun meanwhile.
    if (owner === undefined || !lock || !job || (job.policies.overlap !== 'allow' && job.running > 0)) return
    const token = randomUUID()
    lock.expect(token)
    let fence: number | undefined
    try {
      fence = await backend.takeOver(orphan, { token, instance: host.instance, owner })
    } catch (error) {
      lock.dismiss(token)
      this.#takeOvers.set(token, { orphan, since: host.clock.monotonic() })
      throw error
    }
    if (fence === undefined) lock.dismiss(token)
    else this.#rerun(orphan, { token, owner, fence })
  }

  #rerun(orphan: ClaimRow, taken: OwnClaim & { readonly fence: number }): void {
    const { host, lock } = this.#parts
    this.#takeOvers.delete(taken.token)
    const { key } = orphan
    const claim = (lock as SqlLock).hold({ ...taken, key, start: orphan.start + 1, rerun: true })
    if (!claim.held()) {
      // The lease ended before the answer came.
      void claim.release()
      return
    }
    this.#tell(orphan)
    this.#reruns.set(key, claim)
    host.rerun(tickOf(orphan), claim)
  }

  /** Whether no instance has had the job for long: another one may have it. */
  #isOld(key: string, seen: Map<string, number>): boolean {
    const now = this.#parts.host.clock.monotonic()
    const since = this.#unknown.get(key) ?? now
    seen.set(key, since)
    return now - since >= UNKNOWN_JOB_MS
  }

  /** Ends whose answer was lost: those that were written are reported now. */
  async #confirmMarked(): Promise<void> {
    if (this.#marked.size === 0) return
    this.#tellMarked(await this.#parts.backend.markedBy(this.#mark, [...this.#marked.keys()]))
  }

  #tellMarked(keys: readonly string[]): void {
    for (const key of keys) {
      const doubt = this.#marked.get(key)
      if (this.#marked.delete(key) && doubt) this.#tell(doubt.orphan)
    }
  }

  #tell(orphan: ClaimRow): void {
    const { token, instance, start, fence, trigger } = orphan
    this.#parts.host.abandon(tickOf(orphan), {
      id: token,
      instance,
      restarts: start - 1,
      cause: trigger as 'schedule',
      ...(fence !== undefined && { fence }),
    })
  }

  /** Runs that a dead owner left open: their claim tells how they ended, or nobody does. */
  async #closeRuns(): Promise<void> {
    for (const {
      id,
      key,
      job,
      at,
      trigger,
      start,
      instance,
      fence,
    } of await this.#parts.backend.closeRuns()) {
      this.#parts.host.abandon(
        { id: key, job, scheduledAt: new Date(at), fold: foldOf(key) },
        { id, instance, restarts: start - 1, cause: trigger, ...(fence !== undefined && { fence }) },
      )
    }
  }
}

function tickOf({ key, job, at }: ClaimRow): Tick {
  return { id: key, job, scheduledAt: new Date(at), fold: foldOf(key) }
}
