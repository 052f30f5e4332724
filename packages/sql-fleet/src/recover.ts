import { randomUUID } from 'node:crypto'
import type { Claim, Host, Job, Run, Tick } from '@escapement/core'
import { type Backend, type ClaimRow, MUTEX } from './backend.ts'
import type { SqlLock } from './lock.ts'

/** An orphan of a job that no instance has is ended after this time. */
const UNKNOWN_JOB_MS = 300_000
/** Orphans of one page, and pages of one look. The next look goes on behind them. */
const PAGE_SIZE = 1_000
const MAX_PAGES = 10
/** Take-overs whose answer was lost are expected for so long. */
const DOUBT_MS = 600_000

export interface RecoverParts {
  readonly backend: Backend
  readonly host: Host
  readonly maxStarts: number
  /** Undefined when another plugin brings the lock. */
  readonly lock: SqlLock | undefined
  readonly owner: () => string | undefined
}

/** Finds the runs of instances that died: runs their tick again, or ends them as abandoned. */
export class Recover {
  readonly #parts: RecoverParts
  /** Orphans of jobs that are not here, by key: since when they are known, on the monotonic clock. */
  #unknown = new Map<string, number>()
  /** Runs again that have not ended, by tick. */
  readonly #reruns = new Map<string, Claim>()
  /** Take-overs and ends whose answer was lost: whether they took effect is not known. */
  readonly #takeOvers = new Map<string, { orphan: ClaimRow; since: number }>()
  readonly #marked = new Map<string, ClaimRow>()
  #after = ''
  #looking: Promise<void> | undefined

  constructor(parts: RecoverParts) {
    this.#parts = parts
  }

  /**
   * Looks once. Who asks while it is looking waits for that.
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
    const claim = run.trigger === 'rerun' && this.#reruns.get(run.key)
    if (!claim) return
    this.#reruns.delete(run.key)
    if (run.attempt === 0 && claim.held()) void claim.finish('abandoned')
  }

  /** Puts right what is in the database under our name and not in our hands. */
  async reconcile(): Promise<void> {
    const { lock } = this.#parts
    const owner = this.#parts.owner()
    if (owner === undefined) return
    await this.#confirmMarked(owner)
    const now = this.#parts.host.clock.monotonic()
    for (const [token, { since }] of this.#takeOvers)
      if (now - since > DOUBT_MS) this.#takeOvers.delete(token)
    if (!lock) return
    const ghosts: ClaimRow[] = []
    for (const claim of await lock.unknown()) {
      const taken = this.#takeOvers.get(claim.token)
      if (!taken || claim.fence === undefined) ghosts.push(claim)
      else this.#rerun(taken.orphan, claim.token, claim.fence)
    }
    await lock.withdraw(ghosts)
  }

  async #look(rerun: boolean): Promise<void> {
    const { backend } = this.#parts
    await backend.declareDead(this.#parts.owner())
    const again: ClaimRow[] = []
    const seen = new Map<string, number>()
    for (let page = 0; page < MAX_PAGES; page++) {
      const orphans = await backend.orphans(this.#after, PAGE_SIZE)
      // Those that died for good are told before anything is run again: a rerun may end this process.
      for (const orphan of orphans) if (await this.#endOrKeep(orphan, seen)) again.push(orphan)
      this.#after = orphans.length < PAGE_SIZE ? '' : (orphans.at(-1) as ClaimRow).key
      if (this.#after === '') break
    }
    if (this.#after === '') this.#unknown = seen
    else for (const [key, since] of seen) this.#unknown.set(key, since)
    await this.#closeRuns()
    if (rerun) for (const orphan of again) await this.#takeOver(orphan)
  }

  /** Ends an orphan that is not run again. True: it is to run again here. */
  async #endOrKeep(orphan: ClaimRow, seen: Map<string, number>): Promise<boolean> {
    const { backend, host, lock, maxStarts } = this.#parts
    const owner = this.#parts.owner()
    if (owner === undefined) return false
    if (orphan.job.startsWith(MUTEX)) {
      await backend.deleteClaims([orphan.token])
      return false
    }
    const job = host.job(orphan.job)
    if (!job && orphan.rerun && !this.#isOld(orphan.key, seen)) return false
    if (
      lock &&
      job?.policies.onAbandoned === 'rerun' &&
      orphan.trigger !== 'manual' &&
      orphan.start < maxStarts
    ) {
      // Its handler may still work here, deaf to the abort.
      return job.policies.overlap === 'allow' || job.running === 0
    }
    try {
      if (await backend.markAbandoned(orphan, owner)) this.#tell(orphan)
    } catch (error) {
      this.#marked.set(orphan.key, orphan)
      throw error
    }
    return false
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
    else this.#rerun(orphan, token, fence)
  }

  #rerun(orphan: ClaimRow, token: string, fence: number): void {
    const { host, lock } = this.#parts
    this.#takeOvers.delete(token)
    this.#tell(orphan)
    const { key } = orphan
    const claim = (lock as SqlLock).hold({ key, token, fence, start: orphan.start + 1, rerun: true })
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

  /** Ends whose answer was lost: those that are ours are told now. */
  async #confirmMarked(owner: string): Promise<void> {
    if (this.#marked.size === 0) return
    const ours = new Set(await this.#parts.backend.markedBy(owner, [...this.#marked.keys()]))
    for (const [key, orphan] of this.#marked) if (ours.has(key)) this.#tell(orphan)
    this.#marked.clear()
  }

  #tell(orphan: ClaimRow): void {
    const { token, instance, start, fence, trigger } = orphan
    this.#parts.host.abandon(tickOf(orphan), {
      id: token,
      instance,
      start,
      trigger: trigger as 'schedule',
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
        { id: key, job, scheduledAt: new Date(at) },
        { id, instance, start, trigger, ...(fence !== undefined && { fence }) },
      )
    }
  }
}

function tickOf({ key, job, at }: ClaimRow): Tick {
  return { id: key, job, scheduledAt: new Date(at) }
}
