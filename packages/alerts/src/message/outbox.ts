import type { Timer } from '@escapement/core'
import type { Channel, Incident, Notice, Thread } from '../types/index.ts'
import { compose } from './compose.ts'
import { type DeliveryOptions, deliverToSome, hintsOf } from './delivery.ts'
import { momentary, want } from './due-notice.ts'
import { type Group, Groups, type GroupsParts, type Item, LOOK_MS, worstFirst } from './groups.ts'
import { Throttle, type ThrottleLimit } from './throttle.ts'

export interface OutboxParts extends GroupsParts {
  instance: string
  delivery: DeliveryOptions
  throttle: ThrottleLimit | undefined
  notice: (incident: Incident, channel: string, escalated: boolean) => Promise<Notice>
  /** Something was reported, or will not be: the incident may be done with. */
  onTold: (incident: Incident) => void
  onSent: (channel: Channel) => void
  onFailed: (channel: Channel, error: unknown) => void
}

/** Rest after a message that could not be sent, in ms: doubled each time, up to the second. */
const REST_MS = [30_000, 300_000] as const

/** What one channel is still to be told, and when. One message at a time. */
export class Outbox {
  readonly channel: Channel
  sent = 0
  failed = 0
  readonly #parts: OutboxParts
  readonly #groups: Groups
  #timer: Timer | undefined
  #armed = Infinity
  #busy: Promise<void> | undefined
  readonly #throttle: Throttle
  #failures = 0
  /** Not tried again before. */
  #restUntil = 0
  #abort = new AbortController()
  /** While stopping: what may be told is reported now; `all`: also what is held, as it would be lost. */
  #hurry: 'no' | 'due' | 'all' = 'no'

  constructor(channel: Channel, parts: OutboxParts) {
    this.channel = channel
    this.#parts = parts
    this.#groups = new Groups(channel.name, parts)
    this.#throttle = new Throttle(parts.clock, parts.throttle)
  }

  /** An incident changed. */
  plan(incident: Incident, gone: boolean): void {
    this.#groups.plan(incident, gone)
    this.#arm()
  }

  /** Whether the channel still has to get a notice of an incident, now or later. */
  wants(incident: Incident): boolean {
    return want(incident, this.channel.name, this.#parts.settings(incident)) !== undefined
  }

  /** Incidents of which the channel is still to be told something that is due. */
  owed(now: number): number {
    return this.#groups.owed(now)
  }

  /** The wall clock was set: finds again when groups are due. */
  reset(): void {
    this.#groups.stepBack()
    this.#findDue(this.#groups.due(Infinity))
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
    this.#groups.hurry()
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
      const due = this.#groups.due(clock.now())
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
      const signal = this.#abort.signal
      const trouble = await deliverToSome(this.channel, message, { ...this.#parts.delivery, clock, signal })
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
    const [first, most] = REST_MS
    const asked = hintsOf(error).retryAfter ?? 0
    this.#restUntil =
      this.#parts.clock.monotonic() + Math.max(asked, Math.min(most, first * 2 ** (this.#failures - 1)))
    this.#parts.onFailed(this.channel, error)
  }

  /** What these groups have to tell now. The worst first. */
  #ready(groups: Group[]): Item[] {
    const now = this.#parts.clock.now()
    const muted = this.#parts.inhibited()
    const ready: Item[] = []
    for (const item of groups.flatMap((group) => this.#groups.items(group))) {
      const { incident } = item
      if (item.from > now || this.#held(item, now)) continue
      if (!muted(incident)) ready.push(item)
      // Muted for all of its life: the other incident has told it.
      else if (incident.recoveredAt !== undefined || momentary(incident))
        this.#tell(incident, NO_THREAD, true, 0)
    }
    return ready.sort(worstFirst)
  }

  /** Held until a better time. */
  #held({ settings, by }: Item, now: number): boolean {
    if (this.#hurry === 'all') return false
    return this.#groups.quiet(settings, now) || (settings.digest !== undefined && by > now)
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

  /** While stopping, each group is sent once: what is left waits for the next start. */
  #findDue(groups: Group[]): void {
    if (this.#hurry === 'no') this.#groups.findDue(groups)
    else for (const group of groups) group.due = Infinity
  }

  #arm(): void {
    if (this.#hurry !== 'no' || this.#busy) return
    const { clock } = this.#parts
    const now = clock.now()
    let at = this.#groups.next(now)
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
      Math.min(Math.max(0, at - now), LOOK_MS),
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
