import type { Duration } from './values.ts'

/** Says when a job is due. Nothing else: no state of runs, no clock. */
export interface Trigger {
  /** The first instant strictly after `after`, or undefined when there is none. Must not throw. */
  next(after: Date): Date | undefined
  /**
   * True for a schedule that follows elapsed time (`every`, `*`-crons): it carries on when the wall clock
   * is set back. Others wait until the clock has passed their last tick.
   */
  readonly followsElapsedTime?: boolean
  /** Other jobs whose runs it follows, see `after()`. */
  readonly follows?: readonly Follow[]
  /** How it is shown in logs and traces, e.g. the cron expression. */
  readonly expression?: string
  /** The IANA zone the expression is read in, if it has one. */
  readonly timezone?: string
}

/** Another job, and how its run must have ended. */
export interface Follow {
  readonly job: string
  readonly on: 'succeeded' | 'failed' | 'settled'
}

/** A set of instants: holidays, office hours, maintenance windows. */
export interface Calendar {
  includes(instant: Date): boolean
}

/** What a calendar is made of. Of several keys, all must hold at once. */
export interface CalendarSpec {
  /** Whole local days: `'2026-12-25'`, `'2026-10-01..2026-10-07'`, and every year `'12-25'`, `'12-24..01-01'`. */
  readonly dates?: readonly string[]
  /** `'SAT'` or 0–7, 0 and 7 being Sunday. */
  readonly weekdays?: readonly (string | number)[]
  /** Local time of day: `'09:00-17:30'`, `'22:00-06:00'`. The end is not part of it. */
  readonly daily?: string | readonly string[]
  /** A window opens at each instant of this trigger … */
  readonly opens?: string | Trigger
  /** … and stays open for this long. Default: that instant only. */
  readonly for?: Duration
  /** The zone of dates, weekdays and times. Default: the scheduler's, else the zone of the process. */
  readonly timezone?: string | undefined
}

/** What `except` takes: a calendar, what one is made of, a trigger (its instants), or a function. */
export type CalendarLike = Calendar | CalendarSpec | Trigger | ((instant: Date) => boolean)

/** What a job takes: a cron expression, a trigger, or several of them. */
export type TriggerSpec = string | Trigger | readonly (string | Trigger)[]

/**
 * What happens to fixed-time schedules when clocks change. A schedule whose second, minute or hour starts with
 * `*` follows elapsed time in any case: what does not exist is skipped, what is repeated runs in both passes.
 *
 * - `'vixie'` (default): a time lost in a gap under 3 hours runs once at the first instant after it;
 *   a repeated time runs in the first pass.
 * - `'skip'`: a lost time does not run; a repeated time runs in the first pass.
 * - `'shift'`: a lost time runs later by the length of the gap (under a day); a repeated time in the first pass.
 */
export type Dst = 'vixie' | 'skip' | 'shift'

/** What a scheduler gives to triggers that leave it open. */
export interface TriggerDefaults {
  /** IANA zone. Default: the zone of the process. */
  readonly timezone?: string | undefined
  readonly dst?: Dst | undefined
  /** Settles `H`. A scheduler gives the job's name. */
  readonly seed?: string | undefined
}
