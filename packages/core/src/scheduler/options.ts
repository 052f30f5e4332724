import { hostname } from 'node:os'
import type { EngineParts } from '../engine/context.ts'
import { DEFAULTS } from '../jobs/settings.ts'
import { consoleLog, quietLog, toLogger } from '../log/logger.ts'
import { redactor } from '../run/notes.ts'
import { printable } from '../text.ts'
import { findZone, systemZone, systemZoneProblem } from '../triggers/cron/find-zone.ts'
import type { Clock, JobDefaults, JobOptions, SchedulerOptions } from '../types/index.ts'
import { crypto } from '../util/crypto.ts'
import { parseDuration } from '../util/duration.ts'
import { MAX_TIMER } from '../util/time.ts'
import { checkKeys, fail, func, integer, oneOf, text, withMethod } from '../util/validate.ts'
import { Plugins } from './plugins.ts'
import { systemClock } from './system-clock.ts'

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
  redact: 1,
  version: 1,
  roles: 1,
} satisfies Record<keyof SchedulerOptions, 1>

/** Scheduler options as they are used: checked, in milliseconds. */
export interface Settings extends EngineParts {
  readonly plugins: Plugins
  readonly timezone: string
  /** Why the zone of this process is not used though none was given. */
  readonly zoneProblem: string | undefined
  readonly dst: NonNullable<JobOptions['dst']>
  readonly defaults: JobDefaults
  readonly grace: number
  readonly version: string | undefined
  readonly roles: readonly string[] | undefined
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
      shortText('instance', options.instance) ??
      `${hostname()}:${process.pid}:${crypto().randomUUID().slice(0, 6)}`,
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
    redact: redactor(func('redact', options.redact)),
    version: shortText('version', options.version),
    roles: parseRoles(options.roles),
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

function parseRoles(roles: unknown): readonly string[] | undefined {
  if (roles === undefined) return undefined
  if (!Array.isArray(roles) || roles.length > 100)
    return fail('roles', 'an array of at most 100 names', roles)
  return roles.map((role) => shortText('roles', role) ?? fail('roles', 'an array of names', roles))
}

function shortText(option: string, value: unknown): string | undefined {
  const given = text(option, value)
  if (given !== undefined && (given === '' || given.length > 200 || printable(given) !== given)) {
    fail(option, 'a text of 1 to 200 characters without control characters', given)
  }
  return given
}
