import { randomUUID } from 'node:crypto'
import type { Claim, Host, Run, Tick } from '@escapement/core'
import { bury, forget, type Kept, MUTEX, orphans, takeOver } from './claims.ts'
import type { Row } from './driver.ts'
import type { SqliteLock } from './lock.ts'
import type { Settings } from './options.ts'
import type { Prepared, Writer } from './writer.ts'

/** An orphan of a job that no process has is ended after this time, in ms. */
const ORPHAN = 300_000

export interface RecoverParts {
  writer: Writer
  settings: Settings
  host: Host
  /** Undefined when another plugin brings the lock. */
  lock: SqliteLock | undefined
  owner: () => string | undefined
}

/** Finds the runs of processes that died: runs their tick again, or ends them as abandoned. */
export class Recover {
  readonly #parts: RecoverParts
  /** When each process's heartbeat was last seen to change, on our monotonic clock: no other clock is trusted. */
  #seen = new Map<string, { beat: number; since: number }>()
  #buried = new Map<string, number>()
  /** Runs again that have not ended, by tick. */
  readonly #reruns = new Map<string, Claim>()
  #looking: Promise<void> | undefined

  constructor(parts: RecoverParts) {
    this.#parts = parts
  }

  /**
   * Looks once. Who asks while it is looking waits for that.
   *
   * @param rerun False: what is to run again is left for later. A tick that waits for its claim would be in its way.
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
    if (run.attempt === 0 && claim.held()) claim.finish('abandoned').catch(() => {})
  }

  /** Declares processes dead; what they held can be taken over from now on. */
  async declare(): Promise<void> {
    const { writer } = this.#parts
    const dead = this.#dead(writer.db)
    if (dead.length === 0) return
    await writer.write((db) => {
      // Not one that has shown a sign of life since.
      for (const { owner, beat } of dead)
        db.run('DELETE FROM instances WHERE owner = ? AND beat = ?', owner, beat)
    })
  }

  async #look(rerun: boolean): Promise<void> {
    const { writer, host } = this.#parts
    await this.declare()
    for (const orphan of orphans(writer.db)) await this.#recover(orphan, host.clock.monotonic(), rerun)
    writer.tryFlush()
    await this.#closeRuns()
  }

  #dead(db: Prepared): { owner: string; beat: number }[] {
    const { settings, host } = this.#parts
    const mono = host.clock.monotonic()
    const seen = new Map<string, { beat: number; since: number }>()
    for (const row of db.all(
      'SELECT owner, beat FROM instances WHERE owner <> ?',
      this.#parts.owner() ?? '',
    )) {
      const beat = Number(row.beat)
      const before = this.#seen.get(String(row.owner))
      // Met for the first time, and long without a sign of life by the wall clock: it need not be watched.
      const old = !before && host.clock.now() - beat > 2 * settings.stale
      const since = before?.beat === beat ? before.since : old ? -Infinity : mono
      seen.set(String(row.owner), { beat, since })
    }
    this.#seen = seen
    return [...seen].flatMap(([owner, { beat, since }]) =>
      mono - since >= settings.stale ? [{ owner, beat }] : [],
    )
  }

  async #recover(orphan: Kept, mono: number, rerun: boolean): Promise<void> {
    const { writer, host, lock, settings } = this.#parts
    const owner = this.#parts.owner()
    if (owner === undefined) return
    if (orphan.job.startsWith(MUTEX)) {
      return writer.write((db) => forget(db, orphan.key, orphan.token))
    }
    const job = host.job(orphan.job)
    if (!job && orphan.rerun) {
      // Another process may have the job.
      const since = this.#buried.get(orphan.key) ?? mono
      this.#buried.set(orphan.key, since)
      if (mono - since < ORPHAN) return
    }
    this.#buried.delete(orphan.key)
    const again =
      job?.policies.onAbandoned === 'rerun' &&
      orphan.trigger !== 'manual' &&
      orphan.start < settings.maxStarts
    // Its handler may still work here, deaf to the abort.
    if (again && (!rerun || (job.policies.overlap !== 'allow' && job.running > 0))) return
    const tick: Tick = { id: orphan.key, job: orphan.job, scheduledAt: new Date(orphan.at) }
    if (again && lock) {
      const token = randomUUID()
      let fence: number | undefined
      const by = { token, instance: host.instance, owner, now: host.clock.now() }
      await writer.write((db) => {
        fence = takeOver(db, orphan, by)
      })
      if (fence === undefined) return
      this.#tell(orphan, tick)
      const { key } = orphan
      const claim = lock.hold({ key, token, fence, start: orphan.start + 1 })
      this.#reruns.set(key, claim)
      host.rerun(tick, claim)
      return
    }
    let buried = false
    await writer.write((db) => {
      buried = bury(db, orphan, host.clock.now())
    })
    if (buried) this.#tell(orphan, tick)
  }

  #tell({ token, instance, start, fence, trigger }: Kept, tick: Tick): void {
    const abandoned = { id: token, instance, start, fence, trigger: trigger as 'schedule' }
    this.#parts.host.abandon(tick, abandoned)
  }

  /** Runs that a dead process left open: their claim tells how they ended, or nobody does. */
  async #closeRuns(): Promise<void> {
    const { writer, host } = this.#parts
    if (writer.db.all(`SELECT 1 AS found FROM runs WHERE ${LEFT} LIMIT 1`).length === 0) return
    let closed: Row[] = []
    await writer.write((db) => {
      closed = db.all(CLOSE, host.clock.now())
    })
    for (const row of closed) {
      if (row.state !== 'abandoned') continue
      const tick: Tick = { id: String(row.key), job: String(row.job), scheduledAt: new Date(Number(row.at)) }
      host.abandon(tick, {
        id: String(row.id),
        instance: String(row.instance),
        start: Number(row.start),
        trigger: row.trigger as 'schedule',
        ...(row.fence !== null && { fence: Number(row.fence) }),
      })
    }
  }
}

const CLAIM = 'SELECT state FROM claims WHERE claims.key = runs.key AND claims.token = runs.id AND'
const LEFT = `ended IS NULL AND owner IS NOT NULL AND owner NOT IN (SELECT owner FROM instances)
  AND NOT EXISTS (${CLAIM} state = 'run')`
const CLOSE = `
  UPDATE runs SET ended = ?, state = coalesce((${CLAIM} state <> 'run'), 'abandoned')
  WHERE ${LEFT} RETURNING *`
