import { hostname } from 'node:os'
import { checkKeys, fail, integer, oneOf, text, withMethod } from './check.ts'
import { systemClock } from './clock.ts'
import { crypto } from './crypto.ts'
import { parseDuration } from './duration.ts'
import type { EngineParts } from './engine.ts'
import type { Clock, Duration, Plugin } from './interfaces.ts'
import { consoleLog, type LoggerLike, quietLog, toLogger } from './log.ts'
import { DEFAULTS, type JobDefaults, type JobOptions, MAX_TIMER } from './options.ts'
import { Plugins } from './plugins.ts'
import { printable } from './text.ts'
import { findZone, systemZone, systemZoneProblem } from './triggers/cron/find-zone.ts'

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
  /** How `stop()` ends: `grace` for runs to finish (25 s), then they are aborted and have `abort` (2 s) to settle. */
  drain?: { grace?: Duration; abort?: Duration }
  /** Names this process. Default: host, pid and a random part. */
  instance?: string
  /** Default: the machine's. Tests give a virtual one. */
  clock?: Clock
}

const KNOWN = {
  plugins: 1,
  timezone: 1,
  dst: 1,
  defaults: 1,
  concurrency: 1,
  maxQueued: 1,
  logger: 1,
  drain: 1,
  instance: 1,
  clock: 1,
} satisfies Record<keyof SchedulerOptions, 1>

/** Scheduler options as they are used: checked, in milliseconds. */
export interface Settings extends EngineParts {
  readonly timezone: string
  /** Why the zone of this process is not used though none was given. */
  readonly zoneProblem: string | undefined
  readonly dst: NonNullable<JobOptions['dst']>
  readonly defaults: JobDefaults
  readonly grace: number
}

/**
 * Checks a scheduler's options and fills in the defaults.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION, ERR_ESCAPEMENT_PLUGIN
 */
export function parseSettings(options: SchedulerOptions): Settings {
  checkKeys(options, KNOWN, 'scheduler option')
  const { drain = {}, concurrency = Infinity, logger, clock } = options
  const plugins = new Plugins(options.plugins ?? [])
  checkKeys(drain, { grace: 1, abort: 1 }, 'drain option')
  if (options.defaults !== undefined) checkKeys(options.defaults, DEFAULTS, 'default')
  const log = logger === undefined ? undefined : toLogger(logger)
  const timezone = options.timezone ?? options.defaults?.timezone
  if (timezone !== undefined) findZone(timezone)
  return {
    instance:
      parseInstance(options.instance) ?? `${hostname()}:${process.pid}:${crypto().randomUUID().slice(0, 6)}`,
    plugins,
    timezone: timezone ?? systemZone(),
    zoneProblem: timezone === undefined ? systemZoneProblem() : undefined,
    dst: oneOf('dst', options.dst ?? 'vixie', ['vixie', 'skip', 'shift']),
    defaults: Object.assign({}, ...plugins.all.map((plugin) => plugin.defaults), options.defaults),
    grace: parseDuration(drain.grace ?? '25s', 'drain.grace', { max: MAX_TIMER }),
    abortGrace: parseDuration(drain.abort ?? '2s', 'drain.abort', { max: MAX_TIMER }),
    concurrency: concurrency === Infinity ? concurrency : integer('concurrency', concurrency, 1),
    maxQueued: integer('maxQueued', options.maxQueued ?? 10_000, 1),
    clock: parseClock(clock),
    log: log ?? quietLog,
    userLog: log ?? consoleLog,
  }
}

function parseClock(clock: Clock | undefined): Clock {
  for (const method of ['now', 'monotonic', 'setTimeout', 'clearTimeout', 'setImmediate'] as const) {
    withMethod('clock', clock, method)
  }
  return clock ?? systemClock
}

function parseInstance(instance: unknown): string | undefined {
  const given = text('instance', instance)
  if (given !== undefined && (given === '' || given.length > 200 || printable(given) !== given)) {
    fail('instance', 'a text of 1 to 200 characters without control characters', given)
  }
  return given
}
