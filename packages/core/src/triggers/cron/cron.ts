import type { Dst, Trigger, TriggerDefaults } from '../../types/index.ts'
import { parseDuration } from '../../util/duration.ts'
import { checkKeys, oneOf, text as textOption } from '../../util/validate.ts'
import { type Numeric, toDate } from '../epoch-trigger.ts'
import { every } from '../every.ts'
import { msOf } from '../step.ts'
import type { Bindable } from '../with-defaults.ts'
import { malformed } from './cron-error.ts'
import { findZone, systemZone, zoneOf } from './find-zone.ts'
import { Memo } from './memo.ts'
import { everyText, parse, writeOut } from './parse.ts'
import { Schedule } from './schedule.ts'
import type { Zone } from './zone.ts'

export interface CronOptions {
  /** IANA zone the expression is read in. Default: the scheduler's, else the zone of the process. */
  readonly timezone?: string | undefined
  /** Default: the scheduler's, else `'vixie'`. */
  readonly dst?: Dst | undefined
  /** Any text; it settles `H`, the same way everywhere and for ever. A cron string given to a job takes its name. */
  readonly seed?: string | undefined
}

/** A trigger made by `cron()`. */
export interface CronTrigger extends Trigger {
  readonly expression: string
  readonly timezone: string
  readonly dst: Dst
  readonly followsElapsedTime: boolean
  /** The expression with nicknames and `H` written out in plain fields. `@every` stays. */
  readonly plain: string
}

/**
 * A trigger from a cron expression: 5 fields (minute first), 6 (second first) or 7 (year last), a nickname
 * such as `@daily`, or `@every 1h30m`. All of the dialect is described in docs/cron.md.
 *
 * `@every` counts from the instant asked about; bound to a job it is `every()`, so that all instances agree.
 *
 * @throws `ERR_ESCAPEMENT_CRON`, `ERR_ESCAPEMENT_TIMEZONE`, `ERR_ESCAPEMENT_OPTION`, and
 * `ERR_ESCAPEMENT_TRIGGER` if the expression can never fire.
 * @example
 * cron('0 9 LW * *', { timezone: 'Asia/Shanghai' }).next(new Date())
 */
export function cron(expression: string, options: CronOptions = {}): CronTrigger {
  checkDefaults(options, 'cron() option')
  return make(expression, options, false)
}

/** A cron string inside another trigger: `H` may wait for the job's name. */
export function openCron(expression: string): CronTrigger {
  return make(expression, {}, true)
}

/** A cron string of a job: everything is settled. */
export function boundCron(expression: string, defaults: TriggerDefaults): Trigger {
  return bindCron(expression, {}, defaults)
}

class Cron implements CronTrigger, Bindable, Numeric {
  readonly expression: string
  readonly followsElapsedTime: boolean
  readonly schedule: Schedule
  readonly #options: CronOptions

  constructor(expression: string, schedule: Schedule, options: CronOptions) {
    this.expression = expression
    this.schedule = schedule
    this.followsElapsedTime = schedule.fields.followsElapsedTime
    this.#options = options
  }

  get timezone(): string {
    return this.schedule.zone.name
  }

  get dst(): Dst {
    return this.schedule.dst
  }

  get plain(): string {
    return writeOut(this.schedule.fields)
  }

  next(after: Date): Date | undefined {
    return toDate(this.instantAfter(msOf(after)))
  }

  instantAfter(after: number): number {
    return this.schedule.next(after)
  }

  withDefaults(defaults: TriggerDefaults): Trigger {
    return bindCron(this.expression, this.#options, defaults)
  }
}

/** `@every` outside of a job: elapsed time from the instant asked about, in whole seconds. */
class Elapsed implements CronTrigger, Bindable {
  readonly expression: string
  readonly timezone: string
  readonly dst: Dst
  readonly followsElapsedTime = true
  readonly interval: number
  readonly plain: string

  constructor(expression: string, interval: number, zoneOf: Zone, dst: Dst) {
    this.expression = this.plain = expression
    this.interval = interval
    this.timezone = zoneOf.name
    this.dst = dst
  }

  next(after: Date): Date | undefined {
    const ms = msOf(after)
    return toDate((this.interval >= 1000 ? Math.floor(ms / 1000) * 1000 : ms) + this.interval)
  }

  withDefaults(): Trigger {
    return aligned(this.expression, this.interval)
  }
}

function aligned(expression: string, interval: number): Trigger {
  return triggers.get(`@${interval} ${expression}`, () => every(interval, { expression }))
}

/** Checks the zone, DST policy and seed that are given to a scheduler, a job or `cron()`. */
export function checkDefaults(given: TriggerDefaults, what: string): void {
  checkKeys(given, { timezone: 1, dst: 1, seed: 1 }, what)
  if (given.timezone !== undefined) findZone(given.timezone)
  if (given.dst !== undefined) oneOf('dst', given.dst, ['vixie', 'skip', 'shift'])
  textOption('seed', given.seed)
}

function everyInterval(expression: string): number | undefined {
  const text = typeof expression === 'string' ? everyText(expression) : undefined
  if (text === undefined) return undefined
  try {
    return parseDuration(text, '@every', { min: 1 })
  } catch (error) {
    throw malformed(expression, (error as Error).message)
  }
}

// The same arguments give the same trigger, and the same schedule is shared between triggers:
// 100,000 jobs at `*/5 * * * *` are one schedule that works its next instant out once.
const triggers = new Memo<Trigger>(10_000)
const schedules = new Memo<Schedule>(10_000)

function make(expression: string, options: CronOptions, open: boolean): CronTrigger {
  if (typeof expression !== 'string') throw malformed(expression, 'expected a string')
  const { timezone, dst, seed } = options
  // A seed is as good as unique: remembering would cost more than it saves.
  if (seed !== undefined) return create(expression, options, open)
  // What is no text, or an empty one, must not be taken for the text that it becomes in a key.
  if (
    ![expression, timezone ?? 'UTC', dst ?? 'vixie'].every((part) => typeof part === 'string' && part !== '')
  ) {
    return create(expression, options, open)
  }
  const key = `${timezone ?? ''}\n${dst ?? ''}\n${open ? '?' : '='}\n${expression}`
  return triggers.get(key, () => create(expression, options, open)) as CronTrigger
}

function bindCron(expression: string, given: CronOptions, defaults: TriggerDefaults): Trigger {
  const interval = everyInterval(expression)
  if (interval !== undefined) return aligned(expression.trim(), interval)
  return make(
    expression,
    {
      timezone: given.timezone ?? defaults.timezone ?? systemZone(),
      dst: given.dst ?? defaults.dst ?? 'vixie',
      // Without an H the seed changes nothing, and jobs share the trigger.
      seed: mayHash(expression) ? (given.seed ?? defaults.seed) : undefined,
    },
    false,
  )
}

function create(expression: string, options: CronOptions, open: boolean): CronTrigger {
  const { timezone, dst = 'vixie', seed } = options
  const place = zoneOf(timezone)
  const interval = everyInterval(expression)
  if (interval !== undefined) return new Elapsed(expression.trim(), interval, place, dst)
  const fields = parse(expression, seed ?? expression)
  if (fields.hashed && seed === undefined && !open) {
    throw malformed(
      expression,
      'H needs a seed: give { seed }, or give the string itself to a job, whose name is the seed then',
    )
  }
  const text = expression.trim()
  const schedule = fields.hashed
    ? new Schedule(fields, place, dst)
    : schedules.get(`${place.name}\n${dst}\n${text}`, () => new Schedule(fields, place, dst))
  return new Cron(text, schedule, options)
}

function mayHash(expression: string): boolean {
  return typeof expression === 'string' && /(^|[\s,])h($|[\s,(/])/i.test(expression)
}

/** Whether it is an `@every` that no job has taken. */
export function isElapsed(value: unknown): value is Trigger {
  return value instanceof Elapsed
}

/** The schedule behind a cron trigger, for preview and explanation. */
export function scheduleOf(trigger: Trigger): Schedule | undefined {
  return trigger instanceof Cron ? trigger.schedule : undefined
}
