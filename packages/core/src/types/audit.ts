import type { Asked } from './record.ts'
import type { Maybe } from './values.ts'

/** Something that a person or a program did to a job or a run, or tried to. */
export interface AuditEntry extends Asked {
  /** Rises with time. */
  readonly id: string
  readonly at: Date
  readonly action: AuditAction
  /** The name of the job; undefined when it is about all of them. */
  readonly job?: string
  /** The id of the run. */
  readonly run?: string
  /** The instance where it was asked for. */
  readonly instance: string
  /** Why it was not done; undefined when it was. */
  readonly refused?: string
}

export type AuditAction =
  | 'paused'
  | 'resumed'
  | 'asked'
  | 'cancelled'
  | 'retried'
  | 'forgot'
  | 'acknowledged'
  | 'muted'
  | 'tested'
  | 'entered'

export interface AuditQuery {
  job?: string
  run?: string
  action?: AuditAction
  by?: string
  from?: Date | number
  until?: Date | number
  /** The id of the last entry of the page before: older ones follow. */
  before?: string
  /** At most this many. Default 100. */
  limit?: number
}

/** Where the audit is kept: for 400 days. */
export interface AuditStore {
  add(entry: AuditEntry): Maybe<void>
  /** Newest first. */
  list(query: AuditQuery): Maybe<readonly AuditEntry[]>
}
