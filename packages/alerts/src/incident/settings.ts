import { parseDuration, type Trigger } from '@escapement/core'
import { bound, checkKeys, fail, flag, func, integer, oneOf } from '@escapement/core/plugin'
import type { Kind, Severity } from '../types/index.ts'
import type { AlertsOptions, Escalation, Policy, Subject } from '../types/options.ts'
import { checkMatch, matches, SEVERITIES } from './match.ts'
import { parseQuiet, type QuietHours } from './quiet-hours.ts'

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

/**
 * Makes the settings of any incident of the policy and its rules; says at once what cannot be.
 *
 * @param timezone The scheduler's: for calendars and triggers that name none. Default: the system's.
 */
export function parsePolicy(options: AlertsOptions, timezone?: string): (subject: Subject) => Settings {
  const { channels, rules = [] } = options
  const names = new Set(channels.map(({ name }) => name))
  const base = parsePart(pick(options), 'alerts', names, timezone)
  const parts = rules.map((rule, i) => {
    checkKeys(rule, { ...POLICY, match: 1 }, `rules[${i}] option`)
    const { match, ...policy } = rule
    checkMatch(match, `rules[${i}].match`)
    return { match, part: parsePart(policy, `rules[${i}]`, names, timezone) }
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

function pick(options: AlertsOptions): Policy {
  return Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(POLICY, key)))
}

/** Only what is given, so that rules can be laid over each other. */
function parsePart(
  policy: Policy,
  where: string,
  channels: ReadonlySet<string>,
  timezone: string | undefined,
): Partial<Settings> {
  const part = parsePlain(policy, where)
  if (policy.to !== undefined) part.to = parseTo(policy.to, `${where}.to`, channels)
  if (policy.groupBy !== undefined) part.groupBy = parseGroupBy(policy.groupBy, `${where}.groupBy`)
  if (policy.digest !== undefined) {
    if (policy.digest && typeof policy.digest.next !== 'function')
      fail(`${where}.digest`, 'a trigger', policy.digest)
    part.digest = policy.digest ? bound(policy.digest, { timezone }) : undefined
  }
  if (policy.quiet !== undefined)
    part.quiet = policy.quiet ? parseQuiet(policy.quiet, `${where}.quiet`, timezone) : undefined
  if (policy.escalate !== undefined)
    part.escalate = parseEscalations(policy.escalate, `${where}.escalate`, channels)
  return part
}

type Part = { -readonly [K in keyof Settings]?: Settings[K] }

/** What is a number, a length of time, or one of a few words. */
function parsePlain(policy: Policy, where: string): Part {
  const part: Part = {}
  const yesOrNo = (key: 'enabled' | 'recovery') => {
    if (policy[key] !== undefined) part[key] = flag(`${where}.${key}`, policy[key])
  }
  const times = (key: 'after' | 'recoverAfter') => {
    if (policy[key] !== undefined) part[key] = integer(`${where}.${key}`, policy[key], 1)
  }
  const length = (key: 'groupWait' | 'groupInterval' | 'grace') => {
    if (policy[key] !== undefined)
      part[key] = parseDuration(policy[key], `${where}.${key}`, { min: 0, max: MAX })
  }
  yesOrNo('enabled')
  yesOrNo('recovery')
  times('after')
  times('recoverAfter')
  length('groupWait')
  length('groupInterval')
  length('grace')
  if (policy.severity !== undefined) {
    part.severity = oneOf(`${where}.severity`, policy.severity, SEVERITIES)
  }
  if (policy.repeat !== undefined) {
    part.repeat =
      policy.repeat === false ? Infinity : parseDuration(policy.repeat, `${where}.repeat`, { min: 1000 })
  }
  return part
}

function parseGroupBy(groupBy: NonNullable<Policy['groupBy']>, where: string): Settings['groupBy'] {
  if (typeof groupBy !== 'function' && !['all', 'group', 'job', 'kind'].includes(groupBy)) {
    fail(where, "'all', 'group', 'job', 'kind' or a function", groupBy)
  }
  return groupBy
}

function parseTo(
  to: NonNullable<Policy['to']>,
  where: string,
  channels: ReadonlySet<string>,
): readonly string[] {
  const names = typeof to === 'string' ? [to] : to
  if (!Array.isArray(names)) fail(where, 'the name of a channel or several', to)
  for (const name of names) {
    if (!channels.has(name)) fail(where, `among the channels (${[...channels].join(', ')})`, name)
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
    checkKeys(level, { to: 1, times: 1, after: 1 }, `${where} option`)
    if (level.to === undefined) fail(`${where}.to`, 'the name of a channel or several', level.to)
    if (level.times === undefined && level.after === undefined)
      fail(where, 'an object with times or after', level)
    return {
      to: parseTo(level.to, `${where}.to`, channels),
      times: level.times === undefined ? Infinity : integer(`${where}.times`, level.times, 1),
      after: level.after === undefined ? Infinity : parseDuration(level.after, `${where}.after`, { min: 0 }),
    }
  })
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function checkOptions(options: AlertsOptions): void {
  checkKeys(options, OPTIONS, 'alerts() option')
  func('traceUrl', options.traceUrl)
  for (const name of ['rules', 'inhibit'] as const) {
    if (options[name] !== undefined && !Array.isArray(options[name])) fail(name, 'an array', options[name])
  }
  for (const [i, inhibition] of (options.inhibit ?? []).entries()) {
    checkKeys(inhibition, { when: 1, mute: 1, same: 1 }, `inhibit[${i}] option`)
    checkMatch(inhibition.when, `inhibit[${i}].when`)
    checkMatch(inhibition.mute, `inhibit[${i}].mute`)
    if (inhibition.same !== undefined) oneOf(`inhibit[${i}].same`, inhibition.same, ['job', 'group'])
  }
}
