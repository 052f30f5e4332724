import { randomUUID } from 'node:crypto'
import type { ErrorFacts, Incident, Kind, RunFacts } from '../types/index.ts'
import type { Subject } from '../types/options.ts'
import { errorType } from './serialize.ts'
import type { Settings } from './settings.ts'

/** What is known of an incident that is met. */
export interface Meeting {
  kind: Kind
  subject: string
  job?: string
  run?: RunFacts
  errors?: readonly ErrorFacts[]
  detail?: string
}

export interface LedgerParts {
  /** Wall time in ms. */
  now: () => number
  settings: (subject: Pick<Subject, 'kind' | 'subject' | 'job'>) => Settings
  /** Incidents that keep their errors. */
  details: number
  /** An incident changed, or (`gone`) is forgotten. */
  onChange: (incident: Incident, gone: boolean) => void
  /** An incident is forgotten for want of room. */
  onDropped: (incident: Incident) => void
}

/** Incidents at most. */
const MAX_INCIDENTS = 10_000
/** What the errors of all incidents have together, in characters: further ones are kept in short. */
const MAX_ERROR_CHARS = 10_000_000

/** The incidents: at most one for each kind and subject, however often it is met. */
export class Ledger {
  readonly #incidents = new Map<string, Incident>()
  readonly #byJob = new Map<string, Set<Incident>>()
  readonly #parts: LedgerParts
  #detailed = 0
  #chars = 0

  constructor(parts: LedgerParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#incidents.size
  }

  get(key: string): Incident | undefined {
    return this.#incidents.get(key)
  }

  all(): IterableIterator<Incident> {
    return this.#incidents.values()
  }

  of(job: string): ReadonlySet<Incident> {
    return this.#byJob.get(job) ?? NONE
  }

  /** Opens an incident, or counts it once more. */
  meet(meeting: Meeting): void {
    const now = this.#parts.now()
    const settings = this.#parts.settings({ job: undefined, ...meeting })
    if (!settings.enabled) return
    const key = `${meeting.kind}:${meeting.subject}`
    let incident = this.#incidents.get(key)
    if (!incident) {
      if (this.#incidents.size >= MAX_INCIDENTS) this.#dropOne()
      incident = opened(key, meeting, now)
      this.put(incident)
    }
    if (incident.recoveredAt !== undefined) reopen(incident)
    incident.count++
    incident.lastAt = now
    incident.good = 0
    incident.run = meeting.run ?? incident.run
    incident.detail = meeting.detail ?? incident.detail
    this.#describe(incident, meeting.errors ?? [])
    this.firm(incident)
    this.#parts.onChange(incident, false)
  }

  /** Marks an incident that was met often enough to be told. */
  firm(incident: Incident): void {
    const { after } = this.#parts.settings(incident)
    if (incident.firmAt === undefined && incident.count >= after) incident.firmAt = incident.lastAt
  }

  /** The wall clock was set back: what happened must not lie ahead. */
  shift(now: number): void {
    const back = (at: number | undefined) => (at === undefined ? undefined : Math.min(at, now))
    for (const incident of this.#incidents.values()) {
      incident.openedAt = Math.min(incident.openedAt, now)
      incident.lastAt = Math.min(incident.lastAt, now)
      incident.firmAt = back(incident.firmAt)
      incident.recoveredAt = back(incident.recoveredAt)
      for (const told of Object.values(incident.told)) told.at = Math.min(told.at, now)
      this.#parts.onChange(incident, false)
    }
  }

  /** A success, or whatever ends this incident when it happens often enough. */
  good(incident: Incident): void {
    if (incident.recoveredAt !== undefined) return
    incident.good++
    const { recoverAfter } = this.#parts.settings(incident)
    if (incident.good >= recoverAfter) this.recover(incident)
    else this.#parts.onChange(incident, false)
  }

  recover(incident: Incident): void {
    if (incident.recoveredAt !== undefined) return
    incident.recoveredAt = this.#parts.now()
    // It was not met often enough to be reported.
    if (incident.firmAt === undefined) this.forget(incident)
    else this.#parts.onChange(incident, false)
  }

  /** Takes an incident in as it is: a new one, or one that was kept. */
  put(incident: Incident): void {
    this.#incidents.set(incident.key, incident)
    if (incident.errors.length > 0) this.#detailed++
    this.#chars += charsOf(incident.errors)
    if (incident.job === undefined) return
    const mates = this.#byJob.get(incident.job)
    if (mates) mates.add(incident)
    else this.#byJob.set(incident.job, new Set([incident]))
  }

  forget(incident: Incident): void {
    if (!this.#incidents.delete(incident.key)) return
    if (incident.errors.length > 0) this.#detailed--
    this.#chars -= charsOf(incident.errors)
    const mates = incident.job === undefined ? undefined : this.#byJob.get(incident.job)
    mates?.delete(incident)
    if (mates?.size === 0) this.#byJob.delete(incident.job as string)
    this.#parts.onChange(incident, true)
  }

  /** The oldest of those that are over, else the oldest. */
  #dropOne(): void {
    let first: Incident | undefined
    for (const incident of this.#incidents.values()) {
      first ??= incident
      if (incident.recoveredAt === undefined) continue
      first = incident
      break
    }
    if (!first) return
    this.forget(first)
    this.#parts.onDropped(first)
  }

  #describe(incident: Incident, errors: readonly ErrorFacts[]): void {
    if (errors.length === 0) return
    const type = errorType(errors.at(-1))
    if (!incident.types.includes(type) && incident.types.length < 5) incident.types.push(type)
    if (incident.errors.length === 0) this.#detailed++
    this.#chars -= charsOf(incident.errors)
    // Beyond the limits, the errors of further incidents are kept in short.
    const whole = this.#detailed <= this.#parts.details && this.#chars + charsOf(errors) <= MAX_ERROR_CHARS
    incident.errors = whole ? errors : errors.slice(-1).map(inShort)
    this.#chars += charsOf(incident.errors)
  }
}

function inShort(error: ErrorFacts): ErrorFacts {
  return { ...error, message: error.message.slice(0, 200), stack: undefined, causes: [] }
}

function charsOf(errors: readonly ErrorFacts[]): number {
  return errors.reduce(
    (sum, { message, stack = '', causes }) => sum + message.length + stack.length + causes.join('').length,
    0,
  )
}

const NONE: ReadonlySet<Incident> = new Set()

function opened(key: string, { kind, subject, job }: Meeting, now: number): Incident {
  return {
    key,
    id: randomUUID(),
    kind,
    subject,
    job,
    openedAt: now,
    lastAt: now,
    count: 0,
    firmAt: undefined,
    good: 0,
    recoveredAt: undefined,
    types: [],
    run: undefined,
    errors: [],
    detail: undefined,
    told: {},
    claims: {},
    version: 0,
  }
}

/** It came back before its end was reported everywhere: channels that had the end get the incident again. */
export function reopen(incident: Incident): void {
  incident.recoveredAt = undefined
  for (const [channel, { recovered }] of Object.entries(incident.told)) {
    if (recovered) delete incident.told[channel]
  }
}
