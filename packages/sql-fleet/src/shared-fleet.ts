import type {
  Clock,
  Command,
  CommandAnswer,
  Fleet,
  FleetEvent,
  FleetEventQuery,
  FleetSelf,
  Member,
  MemberFacts,
  Pause,
  Timer,
} from '@escapement/core'
import type { Sql, SqlValue } from './sql.ts'

/** How long a command may wait for its answer, and how long it is kept, in ms. */
const ANSWER_MS = 5_000
const COMMAND_KEPT_MS = 60_000
/** How long events are kept, in ms. */
const EVENTS_KEPT_MS = 30 * 86_400_000

interface SharedFleetParts {
  readonly sql: Sql
  readonly clock: Clock
  /** Between two looks for news, in ms. */
  readonly poll: number
  /** Names this life of the process; undefined when it is not started. */
  readonly owner: () => string | undefined
  /** The database's time in ms, as an expression; `'?'` where it has no clock of its own. */
  readonly now: string
  onFault(error: unknown): void
}

/** What the processes of a database share, besides claims: who is there, pauses, commands. Each looks for news now and then. */
export class SharedFleet implements Fleet {
  readonly shared = true
  readonly #parts: SharedFleetParts
  #self: FleetSelf | undefined
  /** Rises with each change of a pause, and each command. */
  #version = -1
  #timer: Timer | undefined

  constructor(parts: SharedFleetParts) {
    this.#parts = parts
  }

  async join(self: FleetSelf): Promise<readonly Pause[]> {
    this.#self = self
    await this.heartbeat()
    await this.tell({ at: new Date(this.#parts.clock.now()), instance: self.instance, kind: 'started' })
    // First the version: what changes between the two is read again.
    this.#version = await this.#readVersion()
    const pauses = await this.#readPauses()
    this.#poll()
    return pauses
  }

  async leave(): Promise<void> {
    const self = this.#self
    this.#self = undefined
    if (this.#timer) this.#parts.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (self)
      await this.tell({ at: new Date(this.#parts.clock.now()), instance: self.instance, kind: 'stopped' })
  }

  /** Writes how this instance stands. */
  async heartbeat(): Promise<void> {
    const { sql, clock, owner, now } = this.#parts
    const self = this.#self
    const name = owner()
    if (!self || name === undefined) return
    const facts = JSON.stringify({ ...self.describe(), instance: self.instance })
    const at = clock.now()
    const given: SqlValue[] = now === '?' ? [at, facts, at, at] : [facts, at]
    await sql.rows(
      `UPDATE $.instances SET seen = ${now}, facts = ?, skew = CAST(? AS bigint) - ${now} WHERE owner = ?`,
      ...given,
      name,
    )
  }

  async members(): Promise<readonly Member[]> {
    const rows = await this.#parts.sql.rows(
      'SELECT facts, seen, skew FROM $.instances WHERE facts IS NOT NULL',
    )
    const members = rows.map(({ facts, seen, skew }) => {
      const kept = JSON.parse(String(facts)) as MemberFacts & { instance: string }
      const startedAt = new Date(kept.startedAt)
      return {
        ...kept,
        version: kept.version,
        roles: kept.roles,
        startedAt,
        seenAt: new Date(Number(seen)),
        skew: Number(skew),
      }
    })
    return members.toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime())
  }

  async pause(pause: Pause): Promise<void> {
    await this.#keepPause(pause.job, JSON.stringify(pause))
  }

  async resume(job: string | undefined): Promise<void> {
    await this.#keepPause(job, null)
  }

  async proposePause(pause: Pause): Promise<Pause | undefined> {
    const { sql } = this.#parts
    const job = pause.job ?? ''
    await sql.rows(
      'INSERT INTO $.pauses (job, body) VALUES (?, ?) ON CONFLICT DO NOTHING',
      job,
      JSON.stringify(pause),
    )
    const [row] = await sql.rows('SELECT body FROM $.pauses WHERE job = ?', job)
    return row?.body ? pauseOf(job, String(row.body)) : undefined
  }

  async send(command: Command): Promise<CommandAnswer> {
    const { sql, clock } = this.#parts
    const [holder] = await sql.rows(
      'SELECT r.id FROM $.runs r JOIN $.instances i ON i.owner = r.owner WHERE r.id = ? AND r.ended IS NULL',
      command.run,
    )
    if (!holder) return 'unknown'
    const insert = 'INSERT INTO $.commands (id, at, body) VALUES (?, ?, ?)'
    await sql.rows(insert, command.id, clock.now(), JSON.stringify(command))
    await this.#bump()
    const end = clock.monotonic() + ANSWER_MS
    while (clock.monotonic() < end) {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 100))
      const [row] = await sql.rows('SELECT answer FROM $.commands WHERE id = ?', command.id)
      if (row?.answer) return 'done'
    }
    return 'unknown'
  }

  async tell({ at, instance, kind, note }: FleetEvent): Promise<void> {
    const text = 'INSERT INTO $.fleet_events (at, instance, kind, note) VALUES (?, ?, ?, ?)'
    await this.#parts.sql.rows(text, at.getTime(), instance, kind, note ?? null)
  }

  async events({ from, until, limit = 100 }: FleetEventQuery): Promise<readonly FleetEvent[]> {
    const rows = await this.#parts.sql.rows(
      'SELECT at, instance, kind, note FROM $.fleet_events WHERE at >= ? AND at < ? ORDER BY at DESC LIMIT ?',
      from === undefined ? 0 : Number(from),
      until === undefined ? Number.MAX_SAFE_INTEGER : Number(until),
      limit,
    )
    return rows.map(({ at, instance, kind, note }) => ({
      at: new Date(Number(at)),
      instance: String(instance),
      kind: kind as FleetEvent['kind'],
      ...(note !== null && { note: String(note) }),
    }))
  }

  /** Instances whose heartbeats have ended. */
  async lost(instances: readonly string[]): Promise<void> {
    const at = new Date(this.#parts.clock.now())
    for (const instance of instances) await this.tell({ at, instance, kind: 'lost' })
  }

  /** Removes what is too old. */
  async prune(now: number): Promise<void> {
    const { sql } = this.#parts
    await sql.rows('DELETE FROM $.fleet_events WHERE at < ?', now - EVENTS_KEPT_MS)
    await sql.rows('DELETE FROM $.commands WHERE at < ?', now - COMMAND_KEPT_MS)
  }

  async #keepPause(job: string | undefined, body: string | null): Promise<void> {
    const { sql } = this.#parts
    await sql.rows(
      'INSERT INTO $.pauses (job, body) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET body = excluded.body',
      job ?? '',
      body,
    )
    // The version before reads it there.
    if (job !== undefined) await sql.rows('UPDATE $.jobs SET paused = ? WHERE name = ?', body, job)
    await this.#bump()
  }

  async #bump(): Promise<void> {
    await this.#parts.sql.rows('UPDATE $.news SET version = version + 1')
  }

  #poll(): void {
    const { clock, poll, onFault } = this.#parts
    const timer = clock.setTimeout(() => {
      this.#look()
        .catch(onFault)
        .finally(() => {
          if (this.#self) this.#poll()
        })
    }, poll)
    timer.unref?.()
    this.#timer = timer
  }

  async #look(): Promise<void> {
    const version = await this.#readVersion()
    if (version === this.#version) return
    const pauses = await this.#readPauses()
    this.#self?.pausesChanged(pauses)
    await this.#carryOut()
    this.#version = version
  }

  /** Carries out the commands that are for this instance. */
  async #carryOut(): Promise<void> {
    const { sql, clock } = this.#parts
    const rows = await sql.rows(
      'SELECT id, body FROM $.commands WHERE answer IS NULL AND at > ?',
      clock.now() - COMMAND_KEPT_MS,
    )
    for (const { id, body } of rows) {
      const done = this.#self?.command(JSON.parse(String(body)) as Command) === 'done'
      if (done) await sql.rows("UPDATE $.commands SET answer = 'done' WHERE id = ?", String(id))
    }
  }

  async #readVersion(): Promise<number> {
    const [row] = await this.#parts.sql.rows('SELECT version FROM $.news')
    return Number(row?.version ?? 0)
  }

  async #readPauses(): Promise<Pause[]> {
    const rows = await this.#parts.sql.rows('SELECT job, body FROM $.pauses WHERE body IS NOT NULL')
    return rows.map(({ job, body }) => pauseOf(String(job), String(body)))
  }
}

/** The version before kept less of it. */
function pauseOf(job: string, body: string): Pause {
  const { at, until, by, reason } = JSON.parse(body) as Pause
  return {
    job: job === '' ? undefined : job,
    at: new Date(at ?? 0),
    ...(until && { until: new Date(until) }),
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
  }
}
