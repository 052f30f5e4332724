import type { Host } from '@escapement/core'
import type { Incident } from '../types/index.ts'
import type { AlertsOptions, Subject } from '../types/options.ts'
import { KINDS } from './match.ts'
import { parsePolicy, type Settings } from './settings.ts'

/** What the rules say of each subject, worked out once. */
export class Policies {
  readonly #options: AlertsOptions
  readonly #settings = new Map<string, Settings>()
  /** Jobs whose alerts are switched off. */
  readonly #off = new Set<string>()
  #parse: (subject: Subject) => Settings
  #host: Pick<Host, 'job'> | undefined

  constructor(options: AlertsOptions) {
    this.#options = options
    // Rules that cannot work are refused here, before the zone of the scheduler is known.
    this.#parse = parsePolicy(options)
  }

  bind(host: Pick<Host, 'job' | 'timezone'>): void {
    this.#host = host
    this.#parse = parsePolicy(this.#options, host.timezone)
  }

  of({ kind, subject, job }: Pick<Subject, 'kind' | 'subject' | 'job'>): Settings {
    const key = `${kind}:${subject}`
    let settings = this.#settings.get(key)
    if (!settings) {
      settings = this.#parse(this.subjectOf({ kind, subject, job }))
      if (job !== undefined && this.#off.has(job)) settings = { ...settings, enabled: false }
      // What a job left behind is reported once, and repeated only by instances that have the job.
      if (job !== undefined && !this.#host?.job(job)) settings = { ...settings, repeat: Infinity }
      this.#settings.set(key, settings)
    }
    return settings
  }

  subjectOf({ kind, subject, job }: Pick<Subject, 'kind' | 'subject' | 'job'>): Subject {
    return { kind, subject, job, group: job === undefined ? undefined : this.#host?.job(job)?.group }
  }

  /** Switches the alerts of a job on or off. */
  enable(job: string, on: boolean): void {
    this.#settings.clear()
    if (on) this.#off.delete(job)
    else this.#off.add(job)
  }

  /** An incident is gone. */
  forget({ key }: Incident): void {
    this.#settings.delete(key)
  }

  /** A job was added or removed. */
  forgetJob(job: string): void {
    for (const kind of KINDS) this.#settings.delete(`${kind}:${job}`)
  }
}
