import { randomUUID } from 'node:crypto'
import type { Claim, Host, Run, Tick } from '@escapement/core'
import { bury, forget, type Kept, MUTEX, orphans, takeOver } from './claims.ts'
import type { Client } from './client.ts'
import type { PostgresLock } from './lock.ts'
import type { Settings } from './options.ts'

/** An orphan of a job that no instance has is ended after this time, in ms. */
const ORPHAN = 300_000

export interface RecoverParts {
  client: Client
  settings: Settings
  host: Host
  /** Undefined when another plugin brings the lock. */
  lock: PostgresLock | undefined
  owner: () => string | undefined
}

/** Finds the runs of instances that died: runs their tick again, or ends them as abandoned. */
export class Recover {
  readonly #parts: RecoverParts
  readonly #unknown = new Map<string, number>()
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

  async #look(rerun: boolean): Promise<void> {
    const { client } = this.#parts
    await client.query('DELETE FROM $.instances WHERE until < now()')
    for (const orphan of await orphans(client)) await this.#recover(orphan, rerun)
    await this.#closeRuns()
  }

  async #recover(orphan: Kept, rerun: boolean): Promise<void> {
    const { client, host, lock, settings } = this.#parts
    const owner = this.#parts.owner()
    if (owner === undefined) return
    if (orphan.job.startsWith(MUTEX)) return forget(client, [orphan.token])
    const job = host.job(orphan.job)
    if (!job && orphan.rerun && !this.#isOld(orphan.key)) return
    const again = job?.policies.onAbandoned === 'rerun' && orphan.trigger !== 'manual'
    const tick: Tick = { id: orphan.key, job: orphan.job, scheduledAt: new Date(orphan.at) }
    if (again && orphan.start < settings.maxStarts && lock) {
      // Its handler may still work here, deaf to the abort.
      if (!rerun || (job.policies.overlap !== 'allow' && job.running > 0)) return
      const token = randomUUID()
      const fence = await takeOver(client, orphan, { token, instance: host.instance, owner })
      if (fence === undefined) return
      this.#tell(orphan, tick)
      const claim = lock.hold({ key: orphan.key, token, fence, start: orphan.start + 1 })
      this.#reruns.set(orphan.key, claim)
      host.rerun(tick, claim)
    } else if (await bury(client, orphan)) this.#tell(orphan, tick)
  }

  /** Whether nobody has had the job for long: another instance may have it. */
  #isOld(key: string): boolean {
    const now = this.#parts.host.clock.monotonic()
    const since = this.#unknown.get(key) ?? now
    this.#unknown.set(key, since)
    if (now - since < ORPHAN) return false
    return this.#unknown.delete(key)
  }

  #tell({ token, instance, start, fence, trigger }: Kept, tick: Tick): void {
    this.#parts.host.abandon(tick, {
      id: token,
      instance,
      start,
      trigger: trigger as 'schedule',
      ...(fence !== undefined && { fence }),
    })
  }

  /** Runs that a dead instance left open: their claim tells how they ended, or nobody does. */
  async #closeRuns(): Promise<void> {
    const { client, host } = this.#parts
    for (const row of await client.query(CLOSE)) {
      if (row.state !== 'abandoned') continue
      const tick: Tick = {
        id: String(row.key),
        job: String(row.job),
        scheduledAt: new Date(Math.round(Number(row.at))),
      }
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

const CLOSE = `
  WITH open AS (
    SELECT r.id, c.state FROM $.runs r
    LEFT JOIN $.instances i USING (owner) LEFT JOIN $.claims c ON c.key = r.key AND c.token = r.id
    WHERE r.ended IS NULL AND r.owner IS NOT NULL AND i.owner IS NULL AND c.state IS DISTINCT FROM 'run'
    FOR UPDATE OF r SKIP LOCKED
  )
  UPDATE $.runs r SET ended = now(), state = coalesce(open.state, 'abandoned') FROM open WHERE r.id = open.id
  RETURNING r.id, r.key, r.job, (extract(epoch FROM r.at) * 1000)::float8 AS at, r.trigger, r.state, r.start, r.instance,
    r.fence::text AS fence`
