import { EscapementError, type Host, type Plugin, parseDuration, type Run } from '@escapement/core'
import { errorFact, errorFacts, jobFacts, runFacts } from './facts.ts'
import { INHIBIT, inhibited } from './inhibit.ts'
import type { Channel, Incident, Kind, Notice } from './interfaces.ts'
import { Keeper } from './keeper.ts'
import { Ledger } from './ledger.ts'
import {
  type AlertsOptions,
  checkKeys,
  checkMatch,
  parsePolicy,
  refuse,
  type Settings,
  type Subject,
  whole,
} from './options.ts'
import { Outbox, type OutboxParts } from './outbox.ts'
import { Overdue } from './overdue.ts'

/** What `alerts()` gives: a plugin, and what can be asked of it. */
export interface Alerts extends Plugin {
  readonly name: 'alerts'
  attach(host: Host): void
  start(): Promise<void>
  stop(): Promise<void>
  /** Switches the alerts of a job off or on. What is open when it is switched off is forgotten. */
  enable(job: string, on?: boolean): void
  /** What is open or waits to be told, the newest first. */
  incidents(): Incident[]
  stats(): AlertsStats
}

export interface AlertsStats {
  /** Incidents that are open, or whose end is not told yet. */
  incidents: number
  /** Notices that are due and not sent yet, over all channels. */
  waiting: number
  /** Messages. */
  sent: number
  /** Messages that a channel did not take after all tries. Their notices are sent again later. */
  failed: number
  /** Notices that were lost: not sent when the scheduler stopped, and not kept by a store. */
  dropped: number
}

/**
 * Tells people of what goes wrong with jobs: each incident once, its end too, and never a flood.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * const scheduler = createScheduler({
 *   plugins: [
 *     alerts({
 *       channels: [email({ url: process.env.SMTP_URL, from: 'jobs@example.org', to: 'ops@example.org' })],
 *       rules: [{ match: { group: 'billing' }, severity: 'critical', groupWait: 0 }],
 *     }),
 *   ],
 * })
 */
export function alerts(options: AlertsOptions): Alerts {
  return new AlertsPlugin(options)
}

/** What ends when a run starts, when it succeeds, and when it is over. */
const ENDS: Record<'running' | 'succeeded' | 'settled', readonly Kind[]> = {
  running: ['missed'],
  succeeded: ['failed', 'lease-lost', 'abandoned'],
  settled: ['slow'],
}

class AlertsPlugin implements Alerts {
  readonly name = 'alerts'
  readonly #options: AlertsOptions
  readonly #policy: (subject: Subject) => Settings
  readonly #delivery: OutboxParts['delivery']
  readonly #throttle: OutboxParts['throttle']
  readonly #flush: number
  readonly #off = new Set<string>()
  readonly #settings = new Map<string, Settings>()
  readonly #succeeded = new Map<string, number>()
  readonly #ledger: Ledger
  #keeper: Keeper | undefined
  #overdue: Overdue | undefined
  readonly #watch: number
  #outboxes: Outbox[] = []
  #host: Host | undefined
  #aborted: string[] | undefined
  #dropped = 0

  constructor(options: AlertsOptions) {
    const { channels, inhibit = INHIBIT, throttle = { messages: 30, per: '1h' } } = options
    checkKeys(options)
    checkChannels(channels)
    this.#options = options
    this.#policy = parsePolicy(options)
    for (const [i, { when, mute }] of inhibit.entries()) {
      checkMatch(when, `inhibit[${i}].when`)
      checkMatch(mute, `inhibit[${i}].mute`)
    }
    this.#delivery = {
      tries: whole('tries', options.tries ?? 3, 1),
      backoff: parseDuration(options.backoff ?? '1s', 'backoff', { max: 3_600_000 }),
      timeout: parseDuration(options.timeout ?? '60s', 'timeout', { min: 1, max: 3_600_000 }),
    }
    this.#throttle = throttle
      ? {
          messages: whole('throttle.messages', throttle.messages, 1),
          per: parseDuration(throttle.per, 'throttle.per', { min: 1 }),
        }
      : undefined
    this.#watch = parseDuration(options.watch ?? '15s', 'watch', { min: 100, max: 3_600_000 })
    this.#flush = parseDuration(options.flush ?? '10s', 'flush', { max: 10_000 })
    this.#ledger = new Ledger({
      now: () => this.#at.clock.now(),
      settings: (about) => this.#settingsOf(about),
      details: whole('details', options.details ?? 1000, 0),
      onChange: (incident, gone) => {
        for (const outbox of this.#outboxes) outbox.plan(incident, gone)
        if (gone) this.#settings.delete(incident.key)
        if (gone) this.#keeper?.remove(incident)
        else this.#keeper?.touch(incident)
        if (!gone) this.#settle(incident)
      },
    })
  }

  get #at(): Host {
    if (!this.#host)
      throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', 'alerts() was not given to a scheduler')
    return this.#host
  }

  attach(host: Host): void {
    this.#host = host
    this.#outboxes = this.#options.channels.map((channel) => this.#outbox(channel, host))
    this.#keeper = this.#keep(host)
    const overdue = this.#look(host)
    this.#overdue = overdue
    const fail = (kind: Kind) => (run: Run) => this.#meet(kind, run)
    host.on('failed', fail('failed'))
    host.on('timed-out', fail('failed'))
    host.on('missed', fail('missed'))
    host.on('slow', fail('slow'))
    host.on('lease-lost', fail('lease-lost'))
    host.on('abandoned', fail('abandoned'))
    host.on('skipped', (run) => {
      if (run.reason === 'claim-unavailable') this.#meet('missed', run)
      // Another instance runs it: all is well.
      if (run.reason === 'claimed-elsewhere') this.#good(run.job.name, ENDS.running)
    })
    host.on('running', (run) => {
      overdue.saw(run)
      if (run.trigger !== 'manual') this.#good(run.job.name, ENDS.running)
    })
    host.on('succeeded', (run) => {
      this.#succeeded.set(run.job.name, host.clock.now())
      this.#good(run.job.name, ENDS.succeeded)
    })
    host.on('settled', (run) => {
      if (run.attempt > 0) this.#good(run.job.name, ENDS.settled)
      // Skipped for a run that itself waits for a place: that one is still to be seen.
      else if (run.reason !== 'overlap' || run.job.running > 0) overdue.saw(run)
    })
    host.on('drain', () => {
      this.#aborted = []
    })
    host.on('cancelled', (run) => {
      const code = (run.error as { code?: unknown } | undefined)?.code
      if (run.attempt > 0 && code === 'ERR_ESCAPEMENT_CANCELLED') this.#aborted?.push(run.job.name)
    })
    host.on('clock-step', ({ by }) => {
      if (by < 0) this.#ledger.shift(host.clock.now())
      for (const outbox of this.#outboxes) outbox.reset()
    })
    host.on('removed', (job) => {
      for (const incident of [...this.#ledger.of(job.name)]) this.#ledger.recover(incident)
      this.#succeeded.delete(job.name)
    })
  }

  async start(): Promise<void> {
    this.#aborted = undefined
    await this.#keeper?.start()
    for (const outbox of this.#outboxes) outbox.resume()
    this.#overdue?.start()
  }

  async stop(): Promise<void> {
    const { clock, log, instance } = this.#at
    this.#overdue?.stop()
    const aborted = this.#aborted ?? []
    if (aborted.length > 0) {
      const detail = `${aborted.length} ${aborted.length > 1 ? 'runs were' : 'run was'} aborted: ${[...new Set(aborted)].slice(0, 20).join(', ')}`
      this.#ledger.meet({ kind: 'stopped-without-drain', subject: instance, detail })
    }
    // A store that knows its jobs outlives the process.
    const kept = this.#at.store.jobs !== undefined && this.#keeper !== undefined
    const controller = new AbortController()
    const timer = clock.setTimeout(() => controller.abort(new Error('the scheduler stopped')), this.#flush)
    await Promise.all(this.#outboxes.map((outbox) => outbox.flush(controller.signal, kept)))
    await this.#keeper?.stop()
    clock.clearTimeout(timer)
    const left = kept ? 0 : this.#waiting()
    if (left > 0) {
      this.#dropped += left
      log.error({ notices: left }, 'the scheduler stopped before all alerts were sent')
    }
    for (const { channel } of this.#outboxes) {
      try {
        await channel.close?.()
      } catch (error) {
        log.warn({ channel: channel.name, error }, 'a channel could not be closed')
      }
    }
  }

  enable(job: string, on = true): void {
    this.#settings.clear()
    if (on) this.#off.delete(job)
    else {
      this.#off.add(job)
      for (const incident of [...this.#ledger.of(job)]) this.#ledger.forget(incident)
    }
  }

  incidents(): Incident[] {
    return [...this.#ledger.all()]
      .sort((a, b) => b.lastAt - a.lastAt)
      .map((incident) => structuredClone(incident))
  }

  stats(): AlertsStats {
    return {
      incidents: this.#ledger.size,
      waiting: this.#waiting(),
      sent: this.#outboxes.reduce((sum, { sent }) => sum + sent, 0),
      failed: this.#outboxes.reduce((sum, { failed }) => sum + failed, 0),
      dropped: this.#dropped,
    }
  }

  #waiting(): number {
    const now = this.#at.clock.now()
    return this.#outboxes.reduce((sum, outbox) => sum + outbox.owed(now), 0)
  }

  #meet(kind: Kind, run: Run): void {
    const { name } = run.job
    this.#ledger.meet({
      kind,
      subject: name,
      job: name,
      run: runFacts(run, this.#options.traceUrl),
      errors: kind === 'slow' ? [] : errorFacts(run),
    })
  }

  #good(job: string, kinds: readonly Kind[]): void {
    const open = this.#ledger.of(job)
    if (open.size === 0) return
    for (const incident of [...open]) if (kinds.includes(incident.kind)) this.#ledger.good(incident)
  }

  #settingsOf({ kind, subject, job }: Pick<Subject, 'kind' | 'subject' | 'job'>): Settings {
    const key = `${kind}:${subject}`
    let settings = this.#settings.get(key)
    if (!settings) {
      settings = this.#policy({ kind, subject, job, group: this.#groupOf(job) })
      if (job !== undefined && this.#off.has(job)) settings = { ...settings, enabled: false }
      this.#settings.set(key, settings)
    }
    return settings
  }

  #groupOf(job: string | undefined): string | undefined {
    return job === undefined ? undefined : this.#at.job(job)?.group
  }

  #about(incident: Incident): { subject: Subject; settings: Settings } {
    const { kind, subject, job } = incident
    return {
      subject: { kind, subject, job, group: this.#groupOf(job) },
      settings: this.#settingsOf(incident),
    }
  }

  /** In the scheduler's store, if it has a place for incidents. */
  #keep(host: Host): Keeper | undefined {
    const store = host.store.incidents
    if (!store) return undefined
    const onMerged = (incident: Incident) => {
      this.#ledger.firm(incident)
      for (const outbox of this.#outboxes) outbox.plan(incident, false)
      // The job has succeeded here since, when this process did not know of the incident.
      const succeeded = incident.job === undefined ? undefined : this.#succeeded.get(incident.job)
      if (succeeded !== undefined && succeeded > incident.lastAt && ENDS.succeeded.includes(incident.kind)) {
        this.#ledger.good(incident)
      }
    }
    const onError = (error: unknown) => {
      host.log.error({ error }, 'alerts: the store does not keep incidents; they are in memory until it does')
    }
    const { clock, instance } = host
    return new Keeper({ store, ledger: this.#ledger, clock, instance, onMerged, onError })
  }

  #look(host: Host): Overdue {
    const { clock } = host
    return new Overdue({
      host,
      clock,
      every: this.#watch,
      grace: ({ name }) => {
        const { enabled, grace } = this.#settingsOf({ kind: 'missed', subject: name, job: name })
        return enabled ? grace : undefined
      },
      onOverdue: ({ name }, tick, grace) => {
        const detail = `the tick of ${tick.toISOString()} was not started within ${Math.round(grace / 100) / 10} s`
        this.#ledger.meet({ kind: 'missed', subject: name, job: name, detail })
      },
    })
  }

  #outbox(channel: Channel, host: Host): Outbox {
    return new Outbox(channel, {
      clock: host.clock,
      log: host.log,
      instance: host.instance,
      delivery: this.#delivery,
      throttle: this.#throttle,
      incident: (key) => this.#ledger.get(key),
      settings: (incident) => this.#settingsOf(incident),
      group: (incident, settings) => groupKey(this.#about(incident).subject, settings),
      inhibited: () =>
        inhibited(this.#options.inhibit ?? INHIBIT, this.#ledger.all(), (incident) => this.#about(incident)),
      keeper: () => this.#keeper,
      notice: (incident, name, escalated) => this.#notice(incident, name, escalated),
      onTold: (incident) => {
        this.#keeper?.touch(incident)
        this.#settle(incident)
      },
      onSent: (sent) => {
        const incident = this.#ledger.get(`channel-failed:${sent.name}`)
        if (incident) this.#ledger.recover(incident)
      },
      onFailed: (failed, error) => {
        host.log.error({ channel: failed.name, error }, `alerts: ${failed.name} did not take a message`)
        this.#ledger.meet({ kind: 'channel-failed', subject: failed.name, errors: [errorFact(error)] })
      },
    })
  }

  /** Forgets an incident of which there is nothing more to tell. */
  #settle(incident: Incident): void {
    const over = incident.recoveredAt !== undefined || incident.kind === 'stopped-without-drain'
    if (over && !this.#outboxes.some((outbox) => outbox.wants(incident))) this.#ledger.forget(incident)
  }

  async #notice(incident: Incident, channel: string, escalated: boolean): Promise<Notice> {
    const { host, job } = {
      host: this.#at,
      job: incident.job === undefined ? undefined : this.#at.job(incident.job),
    }
    const date = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms))
    return {
      incident: incident.id,
      kind: incident.kind,
      status: incident.recoveredAt === undefined ? 'open' : 'recovered',
      severity: this.#settingsOf(incident).severity,
      subject: incident.subject,
      told: incident.told[channel]?.times ?? 0,
      escalated,
      count: incident.count,
      openedAt: new Date(incident.openedAt),
      lastAt: new Date(incident.lastAt),
      recoveredAt: date(incident.recoveredAt),
      job: job && jobFacts(job),
      run: incident.run,
      errors: incident.errors,
      detail: incident.detail,
      lastSuccess: date(incident.job === undefined ? undefined : await this.#lastSuccess(host, incident.job)),
    }
  }

  /** Of this process, else what the store knows. */
  async #lastSuccess(host: Host, job: string): Promise<number | undefined> {
    const known = this.#succeeded.get(job)
    if (known !== undefined) return known
    try {
      const [run] = await host.store.runs({ job, outcome: 'succeeded', limit: 1 })
      return run?.endedAt?.getTime()
    } catch {
      return undefined
    }
  }
}

function groupKey(subject: Subject, { groupBy, digest }: Settings): string {
  const part =
    typeof groupBy === 'function'
      ? groupBy(subject)
      : groupBy === 'all'
        ? ''
        : groupBy === 'kind'
          ? subject.kind
          : groupBy === 'job'
            ? subject.subject
            : (subject.group ?? '')
  return digest ? `digest ${part}` : part
}

function checkChannels(channels: unknown): asserts channels is readonly Channel[] {
  if (!Array.isArray(channels) || channels.length === 0)
    refuse('channels', 'an array with at least one channel', channels)
  const names = new Set<string>()
  for (const channel of channels as Partial<Channel>[]) {
    if (typeof channel?.name !== 'string' || channel.name === '' || typeof channel.send !== 'function') {
      refuse('channels', 'objects with a name and a method send()', channel)
    }
    if (names.has(channel.name)) refuse('channels', 'of different names', channel.name)
    names.add(channel.name)
  }
}
