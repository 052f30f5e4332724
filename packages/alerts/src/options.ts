import { type Duration, EscapementError, parseDuration, type Trigger } from '@escapement/core'
import type { Channel, Kind, Severity } from './interfaces.ts'
import { parseQuiet, type Quiet, type QuietHours } from './quiet.ts'

/** What decides when and where an incident is told. Given for all, or by rules for some. */
export interface Policy {
  /** False: no incidents. Default true. */
  enabled?: boolean
  /** Names of the channels it goes to. Default all. */
  to?: string | readonly string[]
  /** Default `error` for failed, abandoned and channel-failed; `warning` for the others. */
  severity?: Severity
  /** Times in a row before it is told. Default 1. */
  after?: number
  /** Successes in a row before it counts as recovered. Default 1. */
  recoverAfter?: number
  /** Whether the end of what was told is told too. Default true. */
  recovery?: boolean
  /** How long others are waited for before a group is told first. Default 30 s. */
  groupWait?: Duration
  /** Between two messages about one group. Default 5 min. */
  groupInterval?: Duration
  /** How often an incident is told again while it lasts; `false`: never. Default 4 h. */
  repeat?: Duration | false
  /** What is told together: all, those of one job group, job or kind, or what a function says. Default `'group'`. */
  groupBy?: 'all' | 'group' | 'job' | 'kind' | ((incident: Subject) => string)
  /** Collects notices and tells them together at these instants, e.g. `cron('0 9 * * *')`. */
  digest?: Trigger | false
  /** When nothing but `critical` is told: it is held until the end. */
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
  /** At most so many messages for each channel in a time: more wait. Default 30 in an hour; `false`: no limit. */
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
  /** Where a trace can be seen, e.g. `(id) => 'https://jaeger.example/trace/' + id`. */
  traceUrl?: (traceId: string) => string | undefined
}

/** A policy as it is read: checked, in milliseconds. */
export interface Settings {
  readonly enabled: boolean
  readonly to: readonly string[] | undefined
  readonly severity: Severity
  readonly after: number
  readonly recoverAfter: number
  readonly recovery: boolean
  readonly groupWait: number
  readonly groupInterval: number
  /** Infinity: never. */
  readonly repeat: number
  readonly groupBy: NonNullable<Policy['groupBy']>
  readonly digest: Trigger | undefined
  readonly quiet: QuietHours | undefined
  readonly escalate: readonly { to: readonly string[]; times: number; after: number }[]
  readonly grace: number
}

export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'error', 'critical']
const KINDS: readonly Kind[] = [
  'failed',
  'missed',
  'slow',
  'lease-lost',
  'abandoned',
  'stopped-without-drain',
  'channel-failed',
]
const POLICY: Record<keyof Policy, 1> = {
  enabled: 1,
  to: 1,
  severity: 1,
  after: 1,
  recoverAfter: 1,
  recovery: 1,
  groupWait: 1,
  groupInterval: 1,
  repeat: 1,
  groupBy: 1,
  digest: 1,
  quiet: 1,
  escalate: 1,
  grace: 1,
}
const OPTIONS: Record<keyof AlertsOptions, 1> = {
  ...POLICY,
  channels: 1,
  rules: 1,
  inhibit: 1,
  throttle: 1,
  tries: 1,
  backoff: 1,
  timeout: 1,
  flush: 1,
  details: 1,
  watch: 1,
  traceUrl: 1,
}
const MAX = 2 ** 31 - 1

/** Makes the settings of any incident of the policy and its rules; says at once what cannot be. */
export function parsePolicy(options: AlertsOptions): (subject: Subject) => Settings {
  const { channels, rules = [] } = options
  const names = new Set(channels.map(({ name }) => name))
  const base = parsePart(pick(options), 'alerts', names)
  const parts = rules.map((rule, i) => {
    const { match, ...policy } = rule
    if (match === null || typeof match !== 'object') refuse(`rules[${i}].match`, 'an object', match)
    known(policy, POLICY, `rules[${i}]`)
    checkMatch(match, `rules[${i}].match`)
    return { match, part: parsePart(policy, `rules[${i}]`, names) }
  })
  return (subject) => {
    let settings: Settings = { ...DEFAULTS, severity: SEVERITY[subject.kind] ?? 'warning', ...base }
    for (const { match, part } of parts) {
      if (matches(match, subject, settings.severity)) settings = { ...settings, ...part }
    }
    return settings
  }
}

const SEVERITY: Partial<Record<Kind, Severity>> = {
  failed: 'error',
  abandoned: 'error',
  'channel-failed': 'error',
}

const DEFAULTS: Omit<Settings, 'severity'> = {
  enabled: true,
  to: undefined,
  after: 1,
  recoverAfter: 1,
  recovery: true,
  groupWait: 30_000,
  groupInterval: 300_000,
  repeat: 4 * 3_600_000,
  groupBy: 'group',
  digest: undefined,
  quiet: undefined,
  escalate: [],
  grace: 300_000,
}

export function matches(match: Match, subject: Subject, severity: Severity): boolean {
  return (
    fits(match.job, subject.job) &&
    fits(match.group, subject.group) &&
    fits(match.kind, subject.kind) &&
    fits(match.severity, severity)
  )
}

function fits(wanted: string | readonly string[] | RegExp | undefined, given: string | undefined): boolean {
  if (wanted === undefined) return true
  if (given === undefined) return false
  if (wanted instanceof RegExp) return given.search(wanted) >= 0
  return typeof wanted === 'string' ? wanted === given : wanted.includes(given)
}

function pick(options: AlertsOptions): Policy {
  return Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(POLICY, key)))
}

/** Only what is given, so that rules can be laid over each other. */
function parsePart(policy: Policy, where: string, channels: ReadonlySet<string>): Partial<Settings> {
  const part: { -readonly [K in keyof Settings]?: Settings[K] } = {}
  const flag = (key: 'enabled' | 'recovery') => {
    if (policy[key] === undefined) return
    if (typeof policy[key] !== 'boolean') refuse(`${where}.${key}`, 'true or false', policy[key])
    part[key] = policy[key]
  }
  const times = (key: 'after' | 'recoverAfter') => {
    if (policy[key] !== undefined) part[key] = whole(`${where}.${key}`, policy[key], 1)
  }
  const length = (key: 'groupWait' | 'groupInterval' | 'grace') => {
    if (policy[key] !== undefined)
      part[key] = parseDuration(policy[key], `${where}.${key}`, { min: 0, max: MAX })
  }
  flag('enabled')
  flag('recovery')
  times('after')
  times('recoverAfter')
  length('groupWait')
  length('groupInterval')
  length('grace')
  if (policy.to !== undefined) part.to = parseTo(policy.to, `${where}.to`, channels)
  if (policy.severity !== undefined) {
    if (!SEVERITIES.includes(policy.severity))
      refuse(`${where}.severity`, SEVERITIES.join(', '), policy.severity)
    part.severity = policy.severity
  }
  if (policy.repeat !== undefined) {
    part.repeat =
      policy.repeat === false ? Infinity : parseDuration(policy.repeat, `${where}.repeat`, { min: 1000 })
  }
  if (policy.groupBy !== undefined) {
    const { groupBy } = policy
    if (typeof groupBy !== 'function' && !['all', 'group', 'job', 'kind'].includes(groupBy)) {
      refuse(`${where}.groupBy`, "'all', 'group', 'job', 'kind' or a function", groupBy)
    }
    part.groupBy = groupBy
  }
  if (policy.digest !== undefined) {
    if (policy.digest && typeof policy.digest.next !== 'function')
      refuse(`${where}.digest`, 'a trigger', policy.digest)
    part.digest = policy.digest || undefined
  }
  if (policy.quiet !== undefined)
    part.quiet = policy.quiet ? parseQuiet(policy.quiet, `${where}.quiet`) : undefined
  if (policy.escalate !== undefined)
    part.escalate = parseEscalations(policy.escalate, `${where}.escalate`, channels)
  return part
}

function parseTo(
  to: NonNullable<Policy['to']>,
  where: string,
  channels: ReadonlySet<string>,
): readonly string[] {
  const names = typeof to === 'string' ? [to] : to
  if (!Array.isArray(names)) refuse(where, 'the name of a channel or several', to)
  for (const name of names) {
    if (!channels.has(name)) refuse(where, `among the channels (${[...channels].join(', ')})`, name)
  }
  return names
}

function parseEscalations(
  given: NonNullable<Policy['escalate']>,
  where: string,
  channels: ReadonlySet<string>,
): Settings['escalate'] {
  if (given === false) return []
  const list: readonly Escalation[] = Array.isArray(given) ? given : [given]
  return list.map((level) => {
    if (level?.times === undefined && level?.after === undefined)
      refuse(where, 'an object with times or after', level)
    return {
      to: parseTo(level.to, `${where}.to`, channels),
      times: level.times === undefined ? Infinity : whole(`${where}.times`, level.times, 1),
      after: level.after === undefined ? Infinity : parseDuration(level.after, `${where}.after`, { min: 0 }),
    }
  })
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function checkKeys(options: AlertsOptions): void {
  known(options, OPTIONS, 'alerts()')
}

function known(given: object, names: object, where: string): void {
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(names, key)) continue
    const expected = Object.keys(names).join(', ')
    throw new EscapementError(
      'ERR_ESCAPEMENT_OPTION',
      `${where}: there is no option "${key}", expected one of ${expected}`,
    )
  }
}

export function checkMatch(match: Match, where: string): void {
  for (const [key, value] of Object.entries(match)) {
    if (!['job', 'group', 'kind', 'severity'].includes(key))
      refuse(where, 'made of job, group, kind and severity', key)
    const words: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const word of words) {
      const known = key === 'kind' ? KINDS : key === 'severity' ? SEVERITIES : undefined
      const fine = known ? known.includes(word as never) : typeof word === 'string' || word instanceof RegExp
      if (!fine && value !== undefined)
        refuse(`${where}.${key}`, known ? `of ${known.join(', ')}` : 'a name or a pattern', word)
    }
  }
}

export function whole(option: string, given: unknown, min: number): number {
  if (!Number.isSafeInteger(given) || (given as number) < min)
    refuse(option, `a whole number of at least ${min}`, given)
  return given as number
}

export function refuse(option: string, expected: string, given: unknown): never {
  const shown =
    typeof given === 'string'
      ? JSON.stringify(given)
      : typeof given === 'object'
        ? 'an object'
        : String(given)
  throw new EscapementError(
    'ERR_ESCAPEMENT_OPTION',
    `${option} must be ${expected}, but is ${given === null ? 'null' : shown}`,
  )
}
