import { EscapementError, type Host, type Run } from '@escapement/core'
import { ENDS, listen } from './event/observe.ts'
import { Overdue } from './event/overdue.ts'
import { IncidentSync } from './incident/incident-sync.ts'
import { INHIBIT, inhibited } from './incident/inhibit.ts'
import { Ledger } from './incident/ledger.ts'
import { Policies } from './incident/policies.ts'
import { errorFact, errorFacts, runFacts } from './incident/serialize.ts'
import { groupKey } from './message/batching.ts'
import { notice } from './message/notice.ts'
import type { OutboxParts } from './message/outbox.ts'
import { Outboxes } from './message/outboxes.ts'
import { type GeneralSettings, parseGeneral } from './settings.ts'
import type { Alerts, AlertsStats } from './types/alerts.ts'
import type { Incident, Kind } from './types/index.ts'
import type { AlertsOptions } from './types/options.ts'

/** An incident of a job that is not here is kept for so long after it was last met: 90 days. */
const LEFT_FOR_MS = 90 * 86_400_000

/** The plugin that `alerts()` makes: ties events to incidents, incidents to outboxes. */
export class AlertsPlugin implements Alerts {
  readonly name = 'alerts' as const
  readonly #options: AlertsOptions
  readonly #policies: Policies
  readonly #settings: GeneralSettings
  readonly #succeeded = new Map<string, number>()
  readonly #ledger: Ledger
  #sync: IncidentSync | undefined
  #overdue: Overdue | undefined
  #outboxes: Outboxes | undefined
  #host: Host | undefined
  /** Jobs whose runs were aborted by the stop that is under way. */
  #aborted: readonly string[] = []
  #dropped = 0
  /** The line that incidents are dropped was written. */
  #full = false

  constructor(options: AlertsOptions) {
    this.#options = options
    this.#policies = new Policies(options)
    this.#settings = parseGeneral(options)
    this.#ledger = new Ledger({
      now: () => this.#at.clock.now(),
      settings: (about) => this.#policies.of(about),
      details: this.#settings.details,
      onChange: (incident, gone) => {
        this.#outboxes?.plan(incident, gone)
        if (gone) this.#policies.forget(incident)
        if (gone) this.#sync?.remove(incident)
        else this.#sync?.touch(incident)
        if (!gone) this.#forgetIfDone(incident)
      },
      onDropped: ({ subject }) => {
        this.#dropped++
        if (this.#full) return
        this.#full = true
        const incidents = this.#ledger.size
        this.#at.log.warn(
          { incidents, subject },
          `alerts: there are ${incidents} incidents: the oldest are dropped`,
        )
      },
    })
  }

  get #at(): Host {
    if (!this.#host)
      throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', 'alerts() was not given to a scheduler')
    return this.#host
  }

  setup(host: Host): void {
    this.#host = host
    this.#policies.bind(host)
    this.#outboxes = new Outboxes(this.#options.channels, this.#outboxParts(host))
    this.#sync = this.#keep(host)
    const overdue = this.#look(host)
    this.#overdue = overdue
    listen(host, {
      meet: (kind, run) => this.#meet(kind, run),
      good: (job, kinds) => this.#good(job, kinds),
      saw: (run) => overdue.saw(run),
      succeeded: (job) => this.#succeeded.set(job, host.clock.now()),
      stopped: (jobs) => {
        this.#aborted = jobs
      },
      stepped: (by) => {
        if (by < 0) this.#ledger.shift(host.clock.now())
        this.#outboxes?.reset()
      },
      added: (job) => this.#added(job),
      removed: (job) => this.#removed(job),
    })
  }

  async start(): Promise<void> {
    this.#aborted = []
    await this.#sync?.start()
    this.#outboxes?.resume()
    this.#overdue?.start()
  }

  async stop(): Promise<void> {
    const { log, instance } = this.#at
    this.#overdue?.stop()
    const aborted = this.#aborted
    if (aborted.length > 0) {
      const detail = `${aborted.length} ${aborted.length > 1 ? 'runs were' : 'run was'} aborted: ${[...new Set(aborted)].slice(0, 20).join(', ')}`
      this.#ledger.meet({ kind: 'stopped-without-drain', subject: instance, detail })
    }
    // A store that knows its jobs outlives the process.
    const kept = this.#at.store.jobs !== undefined && this.#sync !== undefined
    await this.#outboxes?.finish(this.#settings.flush, kept, () => this.#sync?.stop())
    const left = kept ? 0 : (this.#outboxes?.owed ?? 0)
    if (left > 0) {
      this.#dropped += left
      log.error({ notices: left }, 'the scheduler stopped before all alerts were sent')
    }
    await this.#outboxes?.close()
  }

  enable(job: string, on = true): void {
    this.#policies.enable(job, on)
    if (!on) for (const incident of [...this.#ledger.of(job)]) this.#ledger.forget(incident)
  }

  incidents(): Incident[] {
    return [...this.#ledger.all()]
      .sort((a, b) => b.lastAt - a.lastAt)
      .map((incident) => structuredClone(incident))
  }

  stats(): AlertsStats {
    const { owed = 0, sent = 0, failed = 0 } = this.#outboxes ?? {}
    return { incidents: this.#ledger.size, waiting: owed, sent, failed, dropped: this.#dropped }
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

  /** Incidents of it may have been kept by the process before. */
  #added(job: string): void {
    this.#policies.forgetJob(job)
    for (const incident of this.#ledger.of(job)) this.#outboxes?.plan(incident, false)
  }

  #removed(job: string): void {
    for (const incident of [...this.#ledger.of(job)]) this.#ledger.recover(incident)
    this.#succeeded.delete(job)
    this.#policies.forgetJob(job)
  }

  #good(job: string, kinds: readonly Kind[]): void {
    const open = this.#ledger.of(job)
    if (open.size === 0) return
    for (const incident of [...open]) if (kinds.includes(incident.kind)) this.#ledger.good(incident)
  }

  /** In the scheduler's store, if it has a place for incidents. */
  #keep(host: Host): IncidentSync | undefined {
    const store = host.store.incidents
    if (!store) return undefined
    const onMerged = (incident: Incident) => {
      this.#ledger.firm(incident)
      this.#outboxes?.plan(incident, false)
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
    const isLeft = ({ job, lastAt }: Incident) =>
      job !== undefined && !host.job(job) && clock.now() - lastAt > LEFT_FOR_MS
    return new IncidentSync({ store, ledger: this.#ledger, clock, instance, isLeft, onMerged, onError })
  }

  #look(host: Host): Overdue {
    const { clock } = host
    return new Overdue({
      host,
      clock,
      every: this.#settings.watch,
      grace: ({ name }) => {
        const { enabled, grace } = this.#policies.of({ kind: 'missed', subject: name, job: name })
        return enabled ? grace : undefined
      },
      onOverdue: ({ name }, tick, grace) => {
        const detail = `the tick of ${tick.toISOString()} was not started within ${Math.round(grace / 100) / 10} s`
        this.#ledger.meet({ kind: 'missed', subject: name, job: name, detail })
      },
    })
  }

  #outboxParts(host: Host): OutboxParts {
    return {
      clock: host.clock,
      log: host.log,
      instance: host.instance,
      ...this.#settings.message,
      incident: (key) => this.#ledger.get(key),
      settings: (incident) => this.#policies.of(incident),
      group: (incident, settings) => groupKey(this.#policies.subjectOf(incident), settings),
      inhibited: () =>
        inhibited(this.#options.inhibit ?? INHIBIT, this.#ledger.all(), (incident) => ({
          subject: this.#policies.subjectOf(incident),
          settings: this.#policies.of(incident),
        })),
      sync: () => this.#sync,
      notice: (incident, name, escalated) => {
        const { severity } = this.#policies.of(incident)
        return notice(incident, { channel: name, escalated, severity, host, succeeded: this.#succeeded })
      },
      onTold: (incident) => {
        this.#sync?.touch(incident)
        this.#forgetIfDone(incident)
      },
      onSent: (sent) => {
        const incident = this.#ledger.get(`channel-failed:${sent.name}`)
        if (incident) this.#ledger.recover(incident)
      },
      onFailed: (failed, error) => {
        host.log.error({ channel: failed.name, error }, `alerts: ${failed.name} did not take a message`)
        this.#ledger.meet({ kind: 'channel-failed', subject: failed.name, errors: [errorFact(error)] })
      },
    }
  }

  /** Forgets an incident of which there is nothing more to tell. */
  #forgetIfDone(incident: Incident): void {
    const over = incident.recoveredAt !== undefined || incident.kind === 'stopped-without-drain'
    if (over && !this.#outboxes?.want(incident)) this.#ledger.forget(incident)
  }
}
