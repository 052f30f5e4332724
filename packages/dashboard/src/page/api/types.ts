import type { Outcome, State } from '@escapement/core'

export type { Outcome, State }

/* What the API gives: instants as ISO 8601, lengths of time in milliseconds. */

export interface Pause {
  readonly by?: string
  readonly reason?: string
  readonly until?: string
}

export interface Trouble {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly causes?: readonly Trouble[]
}

export interface RunView {
  readonly id: string
  readonly key: string
  readonly job: string
  readonly scheduledAt: string
  readonly cause: string
  readonly state: State
  readonly outcome?: Outcome
  readonly reason?: string
  readonly attempt: number
  readonly restarts: number
  readonly startedAt?: string
  readonly endedAt?: string
  readonly late: number
  readonly duration?: number
  readonly until?: string
  readonly count?: number
  readonly error?: Trouble
  readonly errors: readonly Trouble[]
  readonly traceId?: string
  readonly traceUrl?: string
  readonly fence?: number
  readonly instance: string
  readonly data?: unknown
  readonly result?: unknown
  readonly progress?: { readonly fraction: number; readonly note?: string; readonly at: string }
  readonly asked?: { readonly by?: string; readonly reason?: string }
  readonly parent?: string
  readonly retryOf?: string
  readonly logLines: number
  readonly cut?: { readonly data?: string; readonly result?: string; readonly log?: string }
}

export interface LogLine {
  readonly at: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/** One of the last runs of a job, for its strip. */
export interface Recent {
  readonly id: string
  readonly outcome: Outcome
  readonly at: string
  readonly duration?: number
}

export interface JobView {
  readonly name: string
  readonly description?: string
  readonly owner?: string
  readonly runbook?: string
  readonly group?: string
  readonly role?: string
  readonly schedule?: string
  readonly words?: { readonly en: string; readonly zh: string }
  readonly timezone?: string
  readonly next?: string
  readonly running: number
  readonly paused?: Pause
  readonly last?: { readonly outcome: Outcome; readonly at: string }
  readonly overdue?: string
  readonly usual?: number
  readonly failing: boolean
  readonly recent: readonly Recent[]
}

/** A job on its own page. */
export interface JobDetail extends JobView {
  readonly follows: readonly { readonly job: string; readonly on: string }[]
  readonly followers: readonly string[]
  /** A JSON Schema of the data of a run. */
  readonly inputSchema?: unknown
}

export interface Overview {
  readonly now: string
  readonly app?: string
  readonly timezone: string
  readonly scope: { readonly shared: boolean; readonly durable: boolean }
  readonly role: 'viewer' | 'operator'
  readonly actor?: string
  readonly paused?: Pause
  readonly degraded: readonly string[]
  readonly today: Readonly<Partial<Record<Outcome, number>>>
}

export interface Upcoming {
  readonly job: string
  readonly at: string
  /** What a change of the clocks does to it. */
  readonly note?: string
}

export interface Counts {
  readonly at: string
  readonly job?: string
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
  readonly durations: Readonly<Record<string, number>>
  readonly lateness: Readonly<Record<string, number>>
  readonly runs: number
  readonly p50?: number
  readonly p95?: number
}

export interface Instance {
  readonly instance: string
  readonly host: string
  readonly pid: number
  readonly version?: string
  readonly roles?: readonly string[]
  readonly startedAt: string
  readonly seenAt: string
  readonly lag: number
  readonly skew?: number
  readonly runs: readonly { readonly id: string; readonly job: string }[]
}

/** What has happened to an instance. */
export interface FleetEvent {
  readonly at: string
  readonly instance: string
  readonly kind: string
  readonly note?: string
}

export interface AuditEntry {
  readonly id: string
  readonly at: string
  readonly action: string
  readonly by?: string
  readonly reason?: string
  readonly job?: string
  readonly run?: string
  readonly instance: string
  readonly refused?: string
}

export interface Incident {
  readonly key: string
  readonly job: string
  readonly kind: string
  readonly count: number
  readonly since: string
  readonly lastAt: string
  readonly message: string
  readonly acknowledgedBy?: string
  readonly mutedUntil?: string
}

export interface Explanation {
  readonly answer: string
  readonly reasons: readonly { readonly kind: string; readonly text: string; readonly run?: string }[]
}

/** A page of a list; `next` is the cursor of the following one. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next?: string
}
