import type { Clock, Logger } from '@escapement/core'
import type { IncidentSync } from '../incident/incident-sync.ts'
import { SEVERITIES } from '../incident/match.ts'
import type { Settings } from '../incident/settings.ts'
import type { Incident } from '../types/index.ts'
import { type Want, want } from './due-notice.ts'

export interface GroupsParts {
  clock: Clock
  log: Logger
  incident: (key: string) => Incident | undefined
  settings: (incident: Incident) => Settings
  group: (incident: Incident, settings: Settings) => string
  /** A function that says which incidents are muted by others now. */
  inhibited: () => (incident: Incident) => boolean
  /** Where incidents are shared with other instances. */
  sync: () => IncidentSync | undefined
}

/** Incidents that one message is about. */
export interface Group {
  readonly members: Set<string>
  due: number
  sentAt: number | undefined
}

export interface Item extends Want {
  incident: Incident
  settings: Settings
}

/** What waits for a better time is looked at this often, in ms. */
export const LOOK_MS = 60_000
/** A group without incidents is forgotten this long after its last message, in ms. */
const FORGET_MS = 86_400_000

/** What a channel is still to be told, and when: the incidents of a group go together. */
export class Groups {
  readonly #channel: string
  readonly #parts: GroupsParts
  readonly #groups = new Map<string, Group>()

  constructor(channel: string, parts: GroupsParts) {
    this.#channel = channel
    this.#parts = parts
  }

  /** An incident changed. */
  plan(incident: Incident, gone: boolean): void {
    const settings = this.#parts.settings(incident)
    const key = this.#parts.group(incident, settings)
    const wanted = gone ? undefined : want(incident, this.#channel, settings)
    let group = this.#groups.get(key)
    if (!wanted) {
      group?.members.delete(incident.key)
      return
    }
    if (!group) {
      group = { members: new Set(), due: Infinity, sentAt: incident.told[this.#channel]?.at }
      this.#groups.set(key, group)
    }
    group.members.add(incident.key)
    group.due = Math.min(group.due, this.#dueOf(group, { ...wanted, incident, settings }))
  }

  /** Incidents of which the channel is still to be told something that is due. */
  owed(now: number): number {
    const muted = this.#parts.inhibited()
    let owed = 0
    for (const group of this.#groups.values()) {
      owed += this.items(group).filter(({ from, incident }) => from <= now && !muted(incident)).length
    }
    return owed
  }

  /** The wall clock may have been set back: nothing was sent after now. */
  stepBack(): void {
    const now = this.#parts.clock.now()
    for (const group of this.#groups.values()) {
      if (group.sentAt !== undefined) group.sentAt = Math.min(group.sentAt, now)
    }
  }

  /** All are due at once: the scheduler stops. */
  hurry(): void {
    for (const group of this.#groups.values()) group.due = 0
  }

  /** Those that are due; all of them at Infinity. */
  due(now: number): Group[] {
    return [...this.#groups.values()].filter((group) => group.due <= now)
  }

  /** When the next one is due; Infinity when none is. Forgets those that are over. */
  next(now: number): number {
    let at = Infinity
    for (const [key, { due, members, sentAt }] of this.#groups) {
      at = Math.min(at, due)
      if (members.size === 0 && now - (sentAt ?? 0) > FORGET_MS) this.#groups.delete(key)
    }
    return at
  }

  items(group: Group): Item[] {
    const items: Item[] = []
    for (const key of group.members) {
      const incident = this.#parts.incident(key)
      const settings = incident && this.#parts.settings(incident)
      const wanted = incident && settings && want(incident, this.#channel, settings)
      if (wanted) items.push({ ...wanted, incident, settings })
      else group.members.delete(key)
    }
    return items
  }

  /** Whether it is quiet hours for such incidents. */
  quiet({ quiet, severity }: Settings, now: number): boolean {
    if (!quiet || severity === 'critical') return false
    try {
      return quiet(new Date(now))
    } catch (error) {
      // A calendar that is broken must not silence anything.
      this.#parts.log.error({ error }, 'quiet hours threw, and are not observed')
      return false
    }
  }

  /** When an incident is to make its group be sent. */
  #dueOf(group: Group, { by, settings, incident }: Item): number {
    const now = this.#parts.clock.now()
    const due = group.sentAt === undefined ? by : Math.max(by, group.sentAt + settings.groupInterval)
    if (due > now) return due
    const other = this.#parts.sync()?.heldByOther(incident, this.#channel)
    return other || this.quiet(settings, now) ? now + LOOK_MS : due
  }

  /** Finds when groups are due. */
  findDue(groups: readonly Group[]): void {
    const now = this.#parts.clock.now()
    const muted = this.#parts.inhibited()
    for (const group of groups) {
      const dues = this.items(group).map((item) => {
        const due = this.#dueOf(group, item)
        return due <= now && muted(item.incident) ? now + LOOK_MS : due
      })
      group.due = dues.reduce((a, b) => Math.min(a, b), Infinity)
    }
  }
}

/** The order in a message: what is not over, then by severity, then the latest. */
export function worstFirst(a: Item, b: Item): number {
  return (
    Number(a.incident.recoveredAt !== undefined) - Number(b.incident.recoveredAt !== undefined) ||
    SEVERITIES.indexOf(b.settings.severity) - SEVERITIES.indexOf(a.settings.severity) ||
    b.incident.lastAt - a.incident.lastAt
  )
}
