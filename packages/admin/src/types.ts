import type {
  AuditEntry,
  ErrorRecord,
  FleetEvent,
  Health,
  LogLine,
  Member,
  Outcome,
  PauseInfo,
  RunRecord,
  RunStats,
} from '@escapement/core'

/** Plain data as JSON gives it: a Date is an ISO 8601 text, and what is undefined is left out. */
export type Json<T> = T extends Date
  ? string
  : T extends readonly (infer E)[]
    ? readonly Json<E>[]
    : T extends object
      ? { readonly [K in keyof T as undefined extends T[K] ? never : K]: Json<T[K]> } & {
          readonly [K in keyof T as undefined extends T[K] ? K : never]?: Json<Exclude<T[K], undefined>>
        }
      : T

/** A page of a list. `next` leads to older entries, `previous` to newer ones; a name that is missing leads nowhere. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next?: string
  readonly previous?: string
}

export type RunBody = Json<RunRecord> & {
  /** Where its trace can be seen, see the option `traceUrl`. */
  readonly traceUrl?: string
}
export type ErrorBody = Json<ErrorRecord>
export type PauseBody = Json<PauseInfo>
export type LogBody = Json<LogLine>
export type StatsBody = Json<RunStats>
export type MemberBody = Json<Member>
export type FleetEventBody = Json<FleetEvent>
export type AuditBody = Json<AuditEntry>

/** How a run stands, in a list. */
export interface RunBrief {
  readonly id: string
  readonly job: string
  readonly outcome?: Outcome
  readonly state: string
  /** When it was due, began and ended. */
  readonly scheduledAt: string
  readonly startedAt?: string
  readonly endedAt?: string
  readonly duration?: number
  readonly instance: string
  readonly reason?: string
  readonly count?: number
  readonly until?: string
  /** The message of its last error, in one line. */
  readonly error?: string
  readonly progress?: { readonly fraction: number; readonly note?: string }
}

/** One of the last runs of a job. */
export interface RecentRun {
  readonly id: string
  readonly outcome: Outcome
  readonly at: string
  readonly duration?: number
}

/** How a job stands, in a list. */
export interface JobBrief {
  readonly name: string
  readonly description?: string
  readonly owner?: string
  readonly group?: string
  readonly role?: string
  readonly runbook?: string
  /** As it was written, and in words. */
  readonly schedule?: string
  readonly words?: { readonly en: string; readonly zh: string }
  readonly timezone?: string
  readonly next?: string
  readonly running: number
  readonly paused?: PauseBody
  readonly last?: { readonly outcome: Outcome; readonly at: string }
  /** The newest runs that are known, the oldest first, at most 30. */
  readonly recent: readonly RecentRun[]
  /** Half of the runs of the last day took less than this, in ms. */
  readonly usual?: number
  /** Since when it should have begun, and has not. */
  readonly overdue?: string
  readonly failing: boolean
}

export interface JobBody extends JobBrief {
  /** The jobs it runs after, and those that run after it. */
  readonly follows: readonly { readonly job: string; readonly on: string }[]
  readonly followers: readonly string[]
  readonly policies: Readonly<Record<string, unknown>>
  /** The JSON Schema of its data, where its schema can give it. */
  readonly inputSchema?: unknown
}

export interface TickBody {
  readonly job: string
  readonly at: string
  /** What a change of the clocks does to it. */
  readonly note?: string
}

/** All that the first screen shows. */
export interface OverviewBody {
  readonly now: string
  /** The name of the app. */
  readonly app: string
  readonly instance: string
  readonly timezone: string
  readonly health: Health
  readonly degraded: readonly string[]
  /** Pauses and commands reach other processes; what is kept outlives this one. */
  readonly scope: { readonly shared: boolean; readonly durable: boolean }
  readonly paused?: PauseBody
  /** The person that asks, and what it may do. */
  readonly actor: string
  readonly role: 'viewer' | 'operator'
  /** How the runs of the last 24 h have ended. */
  readonly today: { readonly [O in Outcome]?: number }
  readonly verdict: {
    readonly level: 'well' | 'attention' | 'bad'
    readonly jobs: number
    readonly failing: number
    readonly overdue: number
    readonly paused: number
    readonly running: number
    /** Runs that have begun, and those of them that failed, in the last 24 h. */
    readonly runs: number
    readonly failures: number
  }
  readonly running: readonly RunBrief[]
  readonly failing: readonly RunBrief[]
  readonly next: readonly TickBody[]
}

export interface UpcomingBody extends TickBody {
  /** With the offset of the job's zone. */
  readonly local: string
  readonly notes: readonly { readonly kind: string; readonly text: string }[]
}

/** Why a job did, or did not, run at an instant. */
export interface ExplainBody {
  readonly at: string
  readonly local: string
  readonly fires: boolean
  readonly next?: string
  /** One sentence. */
  readonly answer: string
  /** Of the schedule, the pauses, the history and the instances, in the order in which they decide. */
  readonly reasons: readonly {
    readonly kind: 'schedule' | 'pause' | 'blackout' | 'history' | 'fleet'
    readonly text: string
    /** The id of the run it is about. */
    readonly run?: string
  }[]
  /** The runs of that tick, and those around it. */
  readonly runs: readonly RunBrief[]
}

export interface PreviewBody {
  readonly schedule: string
  readonly timezone: string
  readonly words?: string
  readonly upcoming: readonly UpcomingBody[]
}

/** Something wrong with one job in one way, as a plugin for alerts keeps it. */
export interface IncidentBody {
  readonly key: string
  readonly version: number
  readonly job: string
  readonly kind: string
  /** How often it was met. */
  readonly count: number
  readonly since: string
  readonly lastAt: string
  readonly message: string
  /** When it was over; undefined while it is not. */
  readonly recoveredAt?: string
  /** The person that has seen to it: it is not told again while it lasts. */
  readonly acknowledgedBy?: string
  readonly acknowledgedAt?: string
  /** Nothing of it is told until then. */
  readonly mutedUntil?: string
  readonly mutedBy?: string
}

export interface AcceptedBody {
  readonly id: string
  readonly job: string
  /** It survives the end of the process. */
  readonly durable: boolean
}

/** The answer to a request about many runs. */
export interface ManyBody {
  readonly dryRun: boolean
  readonly runs: readonly {
    readonly id: string
    readonly job: string
    readonly done?: string
    readonly refused?: string
  }[]
  /** There are more of them than one request takes. */
  readonly more: boolean
}

/** A problem as RFC 9457 has it, with our code. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
}

/** What `events` streams: `data` of a server-sent event of this `type`. */
export type EventMessage =
  | { readonly type: 'run'; readonly run: RunBrief }
  | { readonly type: 'job'; readonly job: string; readonly what: 'added' | 'removed' | 'paused' | 'resumed' }
  | { readonly type: 'all'; readonly what: 'paused' | 'resumed' }
  /** Runs of other instances have changed: ask again. */
  | { readonly type: 'changed' }
  /** Messages were lost: ask again. */
  | { readonly type: 'reset' }
  | { readonly type: 'drain' }
