import type { Calendar, Duration, Trigger } from '@escapement/core'
import type { Channel, Kind, Severity } from './index.ts'

/** Hours of rest, or any set of instants: a `Calendar` of core, or a function. */
export type Quiet =
  | {
      /** `'22:00'`, in the zone. */
      from: string
      /** `'07:00'`; the next day's, when it is not later than `from`. */
      to: string
      /** IANA zone. Default: the scheduler's. */
      timezone?: string
      /** Days on which it begins, 0 for Sunday. Default all. */
      days?: readonly number[]
    }
  | Calendar
  | ((instant: Date) => boolean)

/** What decides when and where an incident is reported. Given for all, or by rules for some. */
export interface Policy {
  /** False: no incidents. Default true. */
  enabled?: boolean
  /** Names of the channels it goes to. Default all. */
  to?: string | readonly string[]
  /** Default `error` for failed, abandoned and channel-failed; `warning` for the others. */
  severity?: Severity
  /** Times in a row before it is reported. Default 1. */
  after?: number
  /** Successes in a row before it counts as recovered. Default 1. */
  recoverAfter?: number
  /** Whether the end of what was reported is reported too. Default true. */
  recovery?: boolean
  /** How long others are waited for before a group is reported first. Default 30 s. */
  groupWait?: Duration
  /** Between two messages about one group. Default 5 min. */
  groupInterval?: Duration
  /** How often an incident is reported again while it lasts; `false`: never. Default 4 h. */
  repeat?: Duration | false
  /** What is reported together: all, those of one job group, job or kind, or what a function says. Default `'group'`. */
  groupBy?: 'all' | 'group' | 'job' | 'kind' | ((incident: Subject) => string)
  /** Collects notices and tells them together at these instants, e.g. `cron('0 9 * * *')`. */
  digest?: Trigger | false
  /** When nothing but `critical` is reported: it is held until the end. */
  quiet?: Quiet | false
  /** Further channels for what lasts. */
  escalate?: Escalation | readonly Escalation[] | false
  /** How late a tick may be started before it is missed. Default 5 min, at most half the interval. */
  grace?: Duration
}

/** Tells further channels of an incident that was met `times` times, or lasts for `after`, whichever is first. */
export interface Escalation {
  to: string | readonly string[]
  times?: number
  after?: Duration
}

/** What rules and inhibitions look at. What is left out fits all. */
export interface Match {
  /** A name, several, or a pattern. */
  job?: string | readonly string[] | RegExp
  group?: string | readonly string[] | RegExp
  kind?: Kind | readonly Kind[]
  severity?: Severity | readonly Severity[]
}

/** Settings for what matches. */
export interface Rule extends Policy {
  match: Match
}

/** While an incident that matches `when` is open, those that match `mute` are not told. */
export interface Inhibition {
  when: Match
  mute: Match
  /** Only those of the same job or group. Default: any. */
  same?: 'job' | 'group'
}

/** What an incident is about. */
export interface Subject {
  readonly kind: Kind
  readonly subject: string
  readonly job: string | undefined
  readonly group: string | undefined
}

export interface AlertsOptions extends Policy {
  channels: readonly Channel[]
  /** Read in order: each that matches adds its settings, later ones win. */
  rules?: readonly Rule[]
  /** Default: an open failure mutes `slow` and `missed` of the same job. */
  inhibit?: readonly Inhibition[]
  /** The number of messages for each channel in a time at most: more wait. Default 30 in an hour; `false`: no limit. */
  throttle?: { messages: number; per: Duration } | false
  /** Tries for a message, in all. Default 3. */
  tries?: number
  /** Before the second try; five times as long before each further one. Default 1 s. */
  backoff?: Duration
  /** Longest time for one try. Default 60 s. */
  timeout?: Duration
  /** How long a stopping scheduler is kept for the last messages. Default 10 s, which is also the most. */
  flush?: Duration
  /** Incidents whose details (errors, stacks) are kept in memory. More keep their counts. Default 1,000. */
  details?: number
  /** Between looks for ticks that were not started. Default 15 s. */
  watch?: Duration
  /**
   * Where a trace can be seen, e.g. `(id) => 'https://jaeger.example/trace/' + id`. Default: the link that the
   * tracing plugin gives the run, see the `traceUrl` of `otel()`.
   */
  traceUrl?: (traceId: string) => string | undefined
}
