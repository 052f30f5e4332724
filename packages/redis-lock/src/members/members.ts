import type { Clock, Host, Logger } from '@escapement/core'
import type { Greeting, Told } from '../scripts/index.ts'
import {
  entryOf,
  MAX_JOBS,
  type Presence,
  parsePresence,
  parseRoster,
  presenceText,
  type Roster,
  rosterText,
  UNTOLD,
} from './roster.ts'

/** A rolling deploy is over by then: what still differs is reported. */
export const PATIENCE_MS: number = 5 * 60_000
/** How many jobs one line names. */
const MAX_NAMED_JOBS = 10

interface Member extends Presence {
  /** Undefined where it is not known. */
  readonly roster: Roster | undefined
}

interface Own {
  readonly jobs: readonly { readonly name: string; readonly entry: string }[]
  readonly presence: Presence
  /** The jobs as they are stored. */
  readonly text: string
  /** Undefined of too many. */
  readonly roster: Roster | undefined
}

interface Difference {
  /** The same for all instances that differ in the same way: one line tells it. */
  readonly kind: string
  /** Whether a deploy can be the reason. */
  readonly passing: boolean
  readonly fields: object
  readonly text: string
}

export interface MembersParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly log: Logger
  readonly self: string
  readonly lease: number
  readonly scan: number
  /** Several apps share a namespace by mistake, if it is the default. */
  readonly shared: boolean
  readonly jobs: Host['jobs']
  readonly timezone: string
}

/** What the instances say about themselves: their jobs and their lease. */
export class Members {
  /** The other instances that were seen alive. */
  others: readonly string[] = []
  readonly #parts: MembersParts
  readonly #app: string
  #own: Own | undefined
  #members = new Map<string, Member>()
  /** Since when an instance has differed, on the monotonic clock. */
  #since = new Map<string, number>()
  #told = new Set<string>()
  /** Until when another lease may be held, on the monotonic clock. */
  readonly #leases = new Map<number, number>()

  constructor(parts: MembersParts) {
    this.#parts = parts
    this.#app = (process.env.npm_package_name ?? '').replaceAll(/[^\w@/.-]/g, '').slice(0, 100)
  }

  /** Jobs were added or removed. */
  renew(): void {
    this.#own = undefined
  }

  /** What is stored of this instance: of itself, and of its jobs. */
  get told(): Told {
    const { presence, text } = this.#ours()
    return { head: presenceText(presence), jobs: text }
  }

  /** The digest of an instance's jobs that are known here, so that they need not be sent again. */
  digest(id: string): string {
    const member = this.#members.get(id)
    return member?.roster ? member.digest : this.#ours().presence.digest
  }

  /** Whether it is known that an instance does not have the job. */
  lacking(job: string): (id: string) => boolean {
    const entry = entryOf(job)
    return (id) => this.#members.get(id)?.roster?.has(entry) === false
  }

  /** The longest lease that may be held in the fleet, in ms: also by an instance that was cut off a moment ago. */
  get longest(): number {
    const now = this.#parts.clock.monotonic()
    for (const [lease, until] of this.#leases) if (now > until) this.#leases.delete(lease)
    return Math.max(this.#parts.lease, ...this.#leases.keys())
  }

  /** Returns whether other instances have other jobs than before. */
  learn({ instances, told }: Pick<Greeting, 'instances' | 'told'>): boolean {
    const { clock, lease, scan } = this.#parts
    this.others = instances.filter((id) => id !== this.#parts.self)
    const before = this.#members
    this.#members = new Map()
    let changed = false
    for (const [id, { head, jobs }] of told) {
      const member = this.#member(head, jobs, before.get(id))
      if (!member) continue
      this.#members.set(id, member)
      const until = clock.monotonic() + member.lease + 2 * scan
      if (member.lease > lease) this.#leases.set(member.lease, until)
      changed ||= before.get(id)?.roster !== member.roster
    }
    this.#compare()
    return changed || before.size !== this.#members.size
  }

  #member(head: string, jobs: string, before: Member | undefined): Member | undefined {
    const presence = parsePresence(head)
    if (!presence) return
    if (jobs) return { ...presence, roster: parseRoster(jobs) }
    const own = this.#ours()
    if (presence.digest === own.presence.digest) return { ...presence, roster: own.roster }
    return { ...presence, roster: presence.digest === before?.digest ? before.roster : undefined }
  }

  #ours(): Own {
    if (this.#own) return this.#own
    const { jobs, lease, timezone } = this.#parts
    const all = jobs()
    const own = (all.length > MAX_JOBS ? [] : all).map(({ name, trigger }) => {
      const { expression, timezone: zone = timezone } = trigger
      const schedule = typeof expression === 'string' ? `${expression} ${zone}` : undefined
      return { name, entry: entryOf(name, schedule) }
    })
    const { text, digest } = all.length > MAX_JOBS ? UNTOLD : rosterText(own.map(({ entry }) => entry))
    this.#own = { jobs: own, presence: { lease, app: this.#app, digest }, text, roster: parseRoster(text) }
    return this.#own
  }

  /** Tells each difference once, when it has lasted. */
  #compare(): void {
    const { clock, log } = this.#parts
    const now = clock.monotonic()
    const since = new Map<string, number>()
    const told = new Set<string>()
    for (const [id, member] of this.#members) {
      for (const { kind, passing, fields, text } of this.#differences(id, member)) {
        const start = this.#since.get(`${kind} ${id}`) ?? now
        since.set(`${kind} ${id}`, start)
        const known = this.#told.has(kind) || told.has(kind)
        if (known || !passing || now - start >= PATIENCE_MS) told.add(kind)
        if (!known && told.has(kind)) log.warn({ instance: id, ...fields }, `redis-lock: ${text}`)
      }
    }
    this.#since = since
    this.#told = told
  }

  #differences(id: string, { lease, app, digest, roster }: Member): Difference[] {
    const found: Difference[] = []
    const name = app ? `${id} of ${app}` : id
    if (lease !== this.#parts.lease) {
      const text = `the lease is ${this.#parts.lease} ms here and ${lease} ms in ${name}: give all instances the same lease, by which a Redis that was restarted is trusted again`
      found.push({ kind: `lease ${lease}`, passing: true, fields: { lease }, text })
    }
    const { jobs: all, presence: own } = this.#ours()
    const strangers = app !== '' && own.app !== '' && app !== own.app
    if (!roster || (digest === own.digest && !strangers)) return found
    const other = all.filter((job) => roster.differs(job.entry))
    const same = strangers && this.#parts.shared ? all.filter((job) => roster.has(job.entry)) : []
    const jobs = (other.length > 0 ? other : same).map((job) => job.name)
    if (jobs.length === 0) return found
    const more = jobs.length > MAX_NAMED_JOBS ? ` and ${jobs.length - MAX_NAMED_JOBS} more` : ''
    const what = other.length > 0 ? 'with another schedule' : 'too'
    const text =
      `${name} has ${jobs.slice(0, MAX_NAMED_JOBS).join(', ')}${more} ${what}, and each tick is run by one of the two: ` +
      'give each app a namespace of its own, and all instances of an app the same schedules'
    found.push({
      kind: `jobs ${app} ${digest}`,
      passing: !strangers,
      fields: { app, jobs: jobs.length },
      text,
    })
    return found
  }
}
