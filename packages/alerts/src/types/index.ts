/**
 * The words of the alerts:
 *
 * - **Incident**: something is wrong with one job (or one channel, or one instance) in one way. It opens, it is
 *   met again, it recovers. However often it is met, it is one incident.
 * - **Notice**: what a channel gets about one incident at one moment.
 * - **Message**: what is sent at once: one notice, or several that were grouped.
 * - **Channel**: where messages go.
 */
import type { Cause, Maybe, Outcome, SkipReason } from '@escapement/core'

/**
 * What is wrong.
 *
 * - `failed`: a run ended as failed or timed-out, after its retries.
 * - `missed`: a tick was not started: too late, the lock out of reach, or nothing begun when its grace was over.
 * - `slow`: a run takes longer than the job's `slow`, and is still under way.
 * - `lease-lost`: another instance may have taken over while a run was under way.
 * - `abandoned`: the instance of a run died.
 * - `stopped-without-drain`: runs were aborted because the scheduler had to stop.
 * - `channel-failed`: a channel does not take messages. The others report it.
 */
export type Kind =
  | 'failed'
  | 'missed'
  | 'slow'
  | 'lease-lost'
  | 'abandoned'
  | 'stopped-without-drain'
  | 'channel-failed'

export type Severity = 'info' | 'warning' | 'error' | 'critical'

/** Where messages go. A channel need not queue, retry or throttle: that is done for all of them. */
export interface Channel {
  /** Unique among the channels of one `alerts()`; rules name it. */
  readonly name: string
  /**
   * Sends. Resolves when the message was taken, rejects when it was not: it is then tried again.
   * `signal` aborts when it takes too long.
   */
  send(message: Message, options: { signal: AbortSignal }): Promise<void>
  /** Called when the scheduler stops, after the last message. A restarted scheduler sends again. */
  close?(): Maybe<void>
}

/** What is sent at once. */
export interface Message {
  /** The same when it is tried again. */
  readonly id: string
  /** When it was written. */
  readonly at: Date
  /** The process that wrote it. */
  readonly instance: string
  /** The worst of its notices. */
  readonly severity: Severity
  /** The worst first. At least one. */
  readonly notices: readonly Notice[]
  /** The conversation it belongs to. `thread.id` is the id of the thread's first message. */
  readonly thread: Thread
  /** Ids of the first messages of all threads that its notices belong to. */
  readonly references: readonly string[]
}

/** What the messages about an incident have in common, so that a channel can keep them together. */
export interface Thread {
  /** The id of its first message. */
  readonly id: string
  /** How many incidents that message told of. */
  readonly incidents: number
  /** What the first of them was about. */
  readonly kind: Kind
  readonly subject: string
}

/** What a channel gets about one incident. */
export interface Notice {
  /** The incident's id: the same from opening to recovery. */
  readonly incident: string
  readonly kind: Kind
  /** `open`: it is so now. `recovered`: it is over. */
  readonly status: 'open' | 'recovered'
  readonly severity: Severity
  /** The job's name; for what is not about a job, the channel or the instance. */
  readonly subject: string
  /** How often this channel has had the incident before: 0 for the first notice. */
  readonly told: number
  /** Told here because nobody ended it on the channels before. */
  readonly escalated: boolean
  /** How often it was met since it opened. */
  readonly count: number
  readonly openedAt: Date
  /** When it was last met. */
  readonly lastAt: Date
  readonly recoveredAt: Date | undefined
  readonly job: JobFacts | undefined
  /** The last run that met it. */
  readonly run: RunFacts | undefined
  /** Of that run: an error for each failed attempt, oldest first; at most 10. */
  readonly errors: readonly ErrorFacts[]
  /** More in words, in English: `3 runs were aborted: …`. */
  readonly detail: string | undefined
  readonly lastSuccess: Date | undefined
}

/** A job, as an alert shows it. */
export interface JobFacts {
  readonly name: string
  readonly description: string | undefined
  readonly owner: string | undefined
  readonly runbook: string | undefined
  readonly group: string | undefined
  /** Its cron expression or alike. */
  readonly schedule: string | undefined
  readonly timezone: string
  readonly next: Date | undefined
}

/** A run, as an alert shows it. */
export interface RunFacts {
  readonly id: string
  readonly tick: string
  readonly scheduledAt: Date
  readonly cause: Cause
  readonly outcome: Outcome | undefined
  readonly reason: SkipReason | undefined
  /** Attempts made. */
  readonly attempts: number
  readonly startedAt: Date | undefined
  readonly endedAt: Date | undefined
  /** Milliseconds. */
  readonly duration: number
  /** How long after its instant it was started, in ms. */
  readonly late: number
  readonly instance: string
  readonly traceId: string | undefined
  /** Where the trace can be seen. Only for a trace that was sampled. */
  readonly traceUrl: string | undefined
}

/** An error as plain data, cut to a bearable length. */
export interface ErrorFacts {
  /** 1 for the first attempt. */
  readonly attempt: number
  readonly name: string
  readonly message: string
  readonly code: string | undefined
  readonly stack: string | undefined
  /** Messages of its causes, the nearest first. */
  readonly causes: readonly string[]
}

/** An incident as it is kept: plain data, times in ms since the epoch. */
export interface Incident {
  /** `kind:subject`. At most one incident of a key is kept. */
  readonly key: string
  readonly id: string
  readonly kind: Kind
  readonly subject: string
  readonly job: string | undefined
  openedAt: number
  lastAt: number
  count: number
  /** When it had been met often enough to be told. */
  firmAt: number | undefined
  /** Successes in a row since it was last met. */
  good: number
  recoveredAt: number | undefined
  /** Names and codes of the errors met, at most 5: a new one is reported at once. */
  types: string[]
  run: RunFacts | undefined
  errors: readonly ErrorFacts[]
  detail: string | undefined
  /** What each channel has got. */
  told: Record<string, Told>
  /** By channel: the instance that is telling it now. */
  claims: Record<string, TellingClaim>
  /** Rises with each change that is kept. */
  version: number
}

/** What a channel was last told of an incident. */
export interface Told {
  at: number
  times: number
  /** How many error types it has had. */
  types: number
  recovered: boolean
  thread: Thread
}

/** One instance at a time tells a channel of an incident; another may when it has not done so until then. */
export interface TellingClaim {
  by: string
  until: number
}
