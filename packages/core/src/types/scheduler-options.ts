import type { Clock } from './clock.ts'
import type { LoggerLike } from './logger.ts'
import type { JobDefaults } from './options.ts'
import type { Plugin } from './plugin.ts'
import type { Duration } from './values.ts'

export interface SchedulerOptions {
  /** In order: the first is outermost around a run. */
  plugins?: readonly Plugin[]
  /** IANA zone of cron strings that name none. Default: the system's, logged at start; UTC if that is none. */
  timezone?: string
  /** What cron strings do in a DST change. Default `'vixie'`. */
  dst?: 'vixie' | 'skip' | 'shift'
  /** Policies of jobs that do not say otherwise. */
  defaults?: JobDefaults
  /** Runs at a time, over all jobs. The others wait by priority. Default unlimited. */
  concurrency?: number
  /** Runs that were asked for and have not ended, over all jobs: further requests are refused. Default 10,000. */
  maxQueued?: number
  /** pino, winston, the console or alike. Default: warnings, errors, what handlers log and one line at start, to the console. */
  logger?: LoggerLike
  /**
   * Leaves out of a text what must not be kept: called with each text of a run that the history keeps (errors, data,
   * result, log lines, notes). Passwords and tokens of URLs are always left out. A text for which it throws is not kept.
   */
  redact?: (text: string) => string
  /** How `stop()` ends: `grace` for runs to finish (25 s), then they are aborted and have `abort` (2 s) to settle. */
  drain?: { grace?: Duration; abort?: Duration }
  /** The version of the app, shown where its instances are. */
  version?: string
  /** What this process is for, e.g. `['worker']`: it runs jobs of these roles, and those that name none. Default: all jobs. */
  roles?: readonly string[]
  /** Names this process. Default: host, pid and a random part. */
  instance?: string
  /** Default: the machine's. Tests give a virtual one. */
  clock?: Clock
}

export interface StartOptions {
  /** False lets the process end while the scheduler waits for its next tick; runs under way always keep it. Default true. */
  keepAlive?: boolean
  /**
   * A scheduler in this process that this one takes the place of, as when changed code is loaded again: it is stopped
   * at the instant this one begins, and jobs of the same name go on from there. No tick is lost, none is run twice.
   */
  replaces?: Replaced
}

/** A scheduler, as far as one that takes its place needs it. */
export interface Replaced {
  jobs(): readonly { readonly name: string; readonly next?: Date | undefined }[]
  /** Takes no more ticks from the call on. */
  stop(): Promise<void>
}
