import type { Clock, Logger, Timer } from '@escapement/core'
import type { IncidentSync } from '../incident/incident-sync.ts'
import { SEVERITIES } from '../incident/match.ts'
import type { Settings } from '../incident/settings.ts'
import type { Channel, Incident, Message, Notice, Thread } from '../types/index.ts'
import { compose } from './compose.ts'
import { type DeliveryOptions, deliver, hintsOf } from './delivery.ts'
import { momentary, type Want, want } from './due-notice.ts'
import { Throttle } from './throttle.ts'

export interface OutboxParts {
  clock: Clock
  log: Logger
  instance: string
  delivery: DeliveryOptions
  throttle: { messages: number; per: number } | undefined
  incident: (key: string) => Incident | undefined
  settings: (incident: Incident) => Settings
  group: (incident: Incident, settings: Settings) => string
  /** A function that says which incidents are muted by others now. */
  inhibited: () => (incident: Incident) => boolean
  /** Where incidents are shared with other instances. */
  sync: () => IncidentSync | undefined
  notice: (incident: Incident, channel: string, escalated: boolean) => Promise<Notice>
  /** Something was told, or will not be: the incident may be done with. */
  onTold: (incident: Incident) => void
  onSent: (channel: Channel) => void
  onFailed: (channel: Channel, error: unknown) => void
}

interface Group {
  readonly members: Set<string>
  due: number
  sentAt: number | undefined
}

interface Item extends Want {
  incident: Incident
  settings: Settings
}

/** Quiet hours are asked again this often, in ms. */
const LOOK = 60_000
/** Rest after a message that could not be sent, in ms: doubled each time, up to the second. */
const REST = [30_000, 300_000] as const

/** A group without incidents is forgotten this long after its last message, in ms. */
const FORGET = 86_400_000

/** What one channel is still to be told, and when. One message at a time. */
export class Outbox {
  readonly channel: Channel
  sent = 0
  failed = 0
  readonly #parts: OutboxParts
  readonly #groups = new Map<string, Group>()
  #timer: Timer | undefined
  #armed = Infinity
  #busy: Promise<void> | undefined
  readonly #throttle: Throttle
  #failures = 0
  /** Not tried again before. */
  #restUntil = 0
  #abort = new AbortController()
  /** While stopping: what may be told is told now; `all`: also what is held, as it would be lost. */
  #hurry: 'no' | 'due' | 'all' = 'no'

  constructor(channel: Channel, parts: OutboxParts) {
    this.channel = channel
    this.#parts = parts
    this.#throttle = new Throttle(parts.clock, parts.throttle)
  }

  /** An incident changed. */
  plan(incident: Incident, gone: boolean): void {
    const settings = this.#parts.settings(incident)
    const key = this.#parts.group(incident, settings)
    const wanted = gone ? undefined : want(incident, this.channel.name, settings)
    let group = this.#groups.get(key)
    if (!wanted) {
      group?.members.delete(incident.key)
      return
    }
    if (!group) {
      group = { members: new Set(), due: Infinity, sentAt: incident.told[this.channel.name]?.at }
      this.#groups.set(key, group)
    }
    group.members.add(incident.key)
    group.due = Math.min(group.due, this.#due(group, { ...wanted, incident, settings }))
    this.#arm()
  }

  /** Whether the channel still has to get a notice of an incident, now or later. */
  wants(incident: Incident): boolean {
    return want(incident, this.channel.name, this.#parts.settings(incident)) !== undefined
  }

  /** Incidents of which the channel is still to be told something that is due. */
  owed(now: number): number {
    const muted = this.#parts.inhibited()
    let owed = 0
    for (const group of this.#groups.values()) {
      owed += this.#items(group).filter(({ from, incident }) => from <= now && !muted(incident)).length
    }
    return owed
  }

  /** The wall clock was set: finds again when groups are due. */
  reset(): void {
    for (const group of this.#groups.values()) {
      if (group.sentAt !== undefined) group.sentAt = Math.min(group.sentAt, this.#parts.clock.now())
    }
    this.#findDue([...this.#groups.values()])
    this.#disarm()
    this.#arm()
  }

  /**
   * Sends what may be sent now, for as long as it takes or until `signal` aborts.
   *
   * @param kept What is not sent is kept for the next start: quiet hours and digests are observed.
   */
  async flush(signal: AbortSignal, kept: boolean): Promise<void> {
    this.#hurry = kept ? 'due' : 'all'
    const onAbort = () => this.#abort.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    await this.#busy
    this.#restUntil = 0
    for (const group of this.#groups.values()) group.due = 0
    if (!signal.aborted) await this.#pump()
    signal.removeEventListener('abort', onAbort)
    this.#disarm()
  }

  /** Works again after a flush. */
  resume(): void {
    this.#hurry = 'no'
    this.#abort = new AbortController()
    this.#arm()
  }

  #pump(): Promise<void> {
    this.#busy ??= this.#work().finally(() => {
      this.#busy = undefined
      if (this.#hurry === 'no') this.#arm()
    })
    return this.#busy
  }

  async #work(): Promise<void> {
    for (;;) {
      const { clock } = this.#parts
      if (this.#abort.signal.aborted || clock.monotonic() < this.#restUntil) return
      const hurry = this.#hurry !== 'no'
      if (!hurry && this.#throttle.left < 1) return
      const now = clock.now()
      const due = [...this.#groups.values()].filter((group) => group.due <= now)
      if (due.length === 0) return
      // With the last of the budget, all that is due goes together.
      const groups = hurry || this.#throttle.left < 2 ? due : due.slice(0, 1)
      await this.#send(groups)
    }
  }

  async #send(groups: Group[]): Promise<void> {
    const { clock } = this.#parts
    const items = this.#ready(groups)
    const mine = items.length > 0 ? await this.#claim(items) : []
    if (mine.length === 0) return this.#findDue(groups)
    this.#throttle.take()
    try {
      const message = await compose(mine, this.channel.name, this.#parts)
      // What is met while it is under way is not told by it.
      const types = new Map(mine.map(({ incident }) => [incident, incident.types.length]))
      const trouble = await this.#deliver(message)
      this.sent++
      this.#failures = 0
      for (const group of groups) group.sentAt = clock.now()
      message.notices.forEach(({ status }, i) => {
        const { incident } = mine[i] as Item
        this.#tell(incident, message.thread, status === 'recovered', types.get(incident) ?? 0)
      })
      if (trouble === undefined) this.#parts.onSent(this.channel)
      else this.#parts.onFailed(this.channel, trouble)
    } catch (error) {
      // Another instance may have more luck.
      for (const { incident } of mine) {
        delete incident.claims[this.channel.name]
        this.#parts.sync()?.touch(incident)
      }
      this.#fail(error)
    }
    this.#findDue(groups)
  }

  /** Rejects when nobody got the message. Gives the error when not everybody did. */
  async #deliver(message: Message): Promise<unknown> {
    const { clock, delivery } = this.#parts
    try {
      await deliver(this.channel, message, { ...delivery, clock, signal: this.#abort.signal })
      return undefined
    } catch (error) {
      if (hintsOf(error).taken) return error
      throw error
    }
  }

  #tell(incident: Incident, thread: Thread, recovered: boolean, types: number): void {
    const before = incident.told[this.channel.name]
    incident.told[this.channel.name] = {
      at: this.#parts.clock.now(),
      times: (before?.times ?? 0) + 1,
      types,
      recovered,
      thread: before?.thread ?? thread,
    }
    delete incident.claims[this.channel.name]
    this.#parts.onTold(incident)
  }

  #fail(error: unknown): void {
    this.failed++
    this.#failures++
    const [first, most] = REST
    const asked = hintsOf(error).retryAfter ?? 0
    this.#restUntil =
      this.#parts.clock.monotonic() + Math.max(asked, Math.min(most, first * 2 ** (this.#failures - 1)))
    this.#parts.onFailed(this.channel, error)
  }

  #items(group: Group): Item[] {
    const items: Item[] = []
    for (const key of group.members) {
      const incident = this.#parts.incident(key)
      const settings = incident && this.#parts.settings(incident)
      const wanted = incident && settings && want(incident, this.channel.name, settings)
      if (wanted) items.push({ ...wanted, incident, settings })
      else group.members.delete(key)
    }
    return items
  }

  /** What these groups have to tell now. The worst first. */
  #ready(groups: Group[]): Item[] {
    const now = this.#parts.clock.now()
    const muted = this.#parts.inhibited()
    const ready: Item[] = []
    for (const item of groups.flatMap((group) => this.#items(group))) {
      const { incident } = item
      if (item.from > now || this.#held(item, now)) continue
      if (!muted(incident)) ready.push(item)
      // Muted for all of its life: the other incident has told it.
      else if (incident.recoveredAt !== undefined || momentary(incident))
        this.#tell(incident, NO_THREAD, true, 0)
    }
    return ready.sort(
      (a, b) =>
        Number(a.incident.recoveredAt !== undefined) - Number(b.incident.recoveredAt !== undefined) ||
        SEVERITIES.indexOf(b.settings.severity) - SEVERITIES.indexOf(a.settings.severity) ||
        b.incident.lastAt - a.incident.lastAt,
    )
  }

  /** Held until a better time. */
  #held({ settings, by }: Item, now: number): boolean {
    if (this.#hurry === 'all') return false
    return this.#quiet(settings, now) || (settings.digest !== undefined && by > now)
  }

  /** Those that no other instance tells, or has told meanwhile. */
  async #claim(items: Item[]): Promise<Item[]> {
    const sync = this.#parts.sync()
    if (!sync) return items
    const mine = new Set(
      await sync.claim(
        items.map(({ incident }) => incident),
        this.channel.name,
      ),
    )
    const now = this.#parts.clock.now()
    return items.filter(({ incident, settings }) => {
      const wanted = mine.has(incident) ? want(incident, this.channel.name, settings) : undefined
      return wanted !== undefined && wanted.from <= now
    })
  }

  #quiet({ quiet, severity }: Settings, now: number): boolean {
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
  #due(group: Group, { by, settings, incident }: Item): number {
    const now = this.#parts.clock.now()
    const due = group.sentAt === undefined ? by : Math.max(by, group.sentAt + settings.groupInterval)
    if (due > now) return due
    const other = this.#parts.sync()?.heldByOther(incident, this.channel.name)
    return other || this.#quiet(settings, now) ? now + LOOK : due
  }

  /** Finds when groups are due. */
  #findDue(groups: Group[]): void {
    const now = this.#parts.clock.now()
    const muted = this.#parts.inhibited()
    for (const group of groups) {
      const dues = this.#items(group).map((item) => {
        const due = this.#due(group, item)
        return due <= now && muted(item.incident) ? now + LOOK : due
      })
      // While stopping, each group is sent once: what is left waits for the next start.
      group.due = this.#hurry !== 'no' ? Infinity : dues.reduce((a, b) => Math.min(a, b), Infinity)
    }
  }

  #arm(): void {
    if (this.#hurry !== 'no' || this.#busy) return
    const { clock } = this.#parts
    const now = clock.now()
    let at = Infinity
    for (const [key, { due, members, sentAt }] of this.#groups) {
      at = Math.min(at, due)
      if (members.size === 0 && now - (sentAt ?? 0) > FORGET) this.#groups.delete(key)
    }
    if (at === Infinity) {
      this.#disarm()
      return
    }
    at = Math.max(at, now + this.#throttle.wait, now + this.#restUntil - clock.monotonic())
    if (at === this.#armed) return
    this.#disarm()
    this.#armed = at
    this.#timer = clock.setTimeout(
      () => {
        this.#armed = Infinity
        void this.#pump()
      },
      // Looked at once a minute, so that a clock that is set back delays nothing for long.
      Math.min(Math.max(0, at - now), LOOK),
    )
    this.#timer.unref?.()
  }

  #disarm(): void {
    if (this.#timer) this.#parts.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#armed = Infinity
  }
}

const NO_THREAD: Thread = { id: '', incidents: 0, kind: 'failed', subject: '' }
