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
} from '@escapement/core'
import { Repeat, sleep } from '@escapement/core/plugin'
import type { Columns, Sql, SqlValue } from '../sql.ts'
import { pruneEvents, readEvents, tellEvent } from './fleet-events.ts'
import { SharedPauses } from './shared-pauses.ts'

/** How long a command may wait for its answer, how often it looks, and how long it is kept, in ms. */
const ANSWER_MS = 5_000
const LOOK_MS = 100
const COMMAND_KEPT_MS = 60_000

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
  readonly #polling: Repeat
  #beating: Promise<void> | undefined
  /** The jobs that were written last, and for which life of the process. */
  #told: { readonly jobs?: MemberFacts['jobs']; readonly owner?: string } = {}
  readonly #pauses: SharedPauses

  constructor(parts: SharedFleetParts) {
    this.#parts = parts
    this.#polling = new Repeat(() =>
      this.#look()
        .catch(parts.onFault)
        .then(() => parts.poll),
    )
    this.#pauses = new SharedPauses(parts.sql, () => this.#bump())
  }

  async join(self: FleetSelf): Promise<readonly Pause[]> {
    this.#self = self
    this.#version = -1
    this.#polling.start(this.#parts.clock, this.#parts.poll)
    // A database that cannot be written can be read: the pauses hold.
    await this.#arrive(self).catch(this.#parts.onFault)
    // First the version: what changes between the two is read again.
    const version = await this.#readVersion()
    const pauses = await this.#pauses.read(new Date(this.#parts.clock.now()))
    this.#version = version
    return pauses
  }

  async leave(): Promise<void> {
    const self = this.#self
    this.#self = undefined
    this.#polling.stop()
    if (self)
      await this.tell({ at: new Date(this.#parts.clock.now()), instance: self.instance, kind: 'stopped' })
  }

  async #arrive({ instance }: FleetSelf): Promise<void> {
    await this.heartbeat()
    await this.tell({ at: new Date(this.#parts.clock.now()), instance, kind: 'started' })
  }

  /** After each heartbeat. One that takes longer than the next goes on alone. */
  beat(): Promise<void> {
    this.#beating ??= this.heartbeat()
      .catch((error) => {
        if (this.#self) this.#parts.onFault(error)
      })
      .finally(() => {
        this.#beating = undefined
      })
    return this.#beating
  }

  /** Writes how this instance stands. */
  async heartbeat(): Promise<void> {
    const { sql, clock, owner, now } = this.#parts
    const self = this.#self
    const name = owner()
    if (!self || name === undefined) return
    const { jobs, ...described } = self.describe()
    const facts = JSON.stringify({ ...described, instance: self.instance })
    const at = clock.now()
    const given: SqlValue[] = now === '?' ? [at, facts, at, at] : [facts, at]
    await sql.rows(
      `UPDATE $.instances SET seen = ${now}, facts = ?, skew = CAST(? AS bigint) - ${now} WHERE owner = ?`,
      ...given,
      name,
    )
    // They may be thousands: they are written when they have changed.
    if (this.#told.jobs !== jobs || this.#told.owner !== name) {
      await sql.rows('UPDATE $.instances SET jobs = ? WHERE owner = ?', JSON.stringify(jobs), name)
      this.#told = { jobs, owner: name }
    }
    await this.#pauses.adopt()
  }

  async members(): Promise<readonly Member[]> {
    const rows = await this.#parts.sql.rows(
      'SELECT facts, jobs, seen, skew FROM $.instances WHERE facts IS NOT NULL',
    )
    const members = rows.map(memberOf)
    return members.toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime())
  }

  pause(pause: Pause): Promise<void> {
    return this.#pauses.keep(pause.job, JSON.stringify(pause))
  }

  resume(job: string | undefined): Promise<void> {
    return this.#pauses.keep(job, null)
  }

  proposePause(pause: Pause): Promise<Pause | undefined> {
    return this.#pauses.propose(pause)
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
      await sleep(clock, LOOK_MS)
      const [row] = await sql.rows('SELECT answer FROM $.commands WHERE id = ?', command.id)
      if (row?.answer) return 'done'
    }
    return 'unknown'
  }

  tell(event: FleetEvent): Promise<void> {
    return tellEvent(this.#parts.sql, event)
  }

  events(query: FleetEventQuery): Promise<readonly FleetEvent[]> {
    return readEvents(this.#parts.sql, query)
  }

  /** Instances whose heartbeats have ended. */
  async lost(instances: readonly string[]): Promise<void> {
    const at = new Date(this.#parts.clock.now())
    for (const instance of instances) await this.tell({ at, instance, kind: 'lost' })
  }

  /** Removes what is too old. */
  async prune(now: number): Promise<void> {
    const { sql } = this.#parts
    await pruneEvents(sql, now)
    await sql.rows('DELETE FROM $.commands WHERE at < ?', now - COMMAND_KEPT_MS)
  }

  async #bump(): Promise<void> {
    await this.#parts.sql.rows('UPDATE $.news SET version = version + 1')
  }

  async #look(): Promise<void> {
    const { turn } = this.#pauses
    const version = await this.#readVersion()
    if (version === this.#version) return
    const pauses = await this.#pauses.read(new Date(this.#parts.clock.now()))
    // What was read may be older than what was written meanwhile, or is being written: it is read again.
    if (this.#pauses.turn !== turn || this.#pauses.busy) return
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
}

function memberOf({ facts, jobs, seen, skew }: Columns): Member {
  const kept = JSON.parse(String(facts)) as MemberFacts & { instance: string }
  const times = { startedAt: new Date(kept.startedAt), seenAt: new Date(Number(seen)) }
  const own = JSON.parse(String(jobs ?? '{}')) as MemberFacts['jobs']
  return { ...kept, version: kept.version, roles: kept.roles, jobs: own, ...times, skew: Number(skew) }
}
