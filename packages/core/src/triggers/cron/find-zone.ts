import { EscapementError, show } from '../../errors.ts'
import { nearest } from '../../util/nearest.ts'
import { type Zone, zone } from './zone.ts'
import { isForeign, zoneHint } from './zone-hints.ts'

/** The zone of this name, or `ERR_ESCAPEMENT_TIMEZONE` with what to write instead. */
export function findZone(name: string): Zone {
  const found = typeof name === 'string' ? zone(name) : undefined
  if (found) return found
  throw new EscapementError(
    'ERR_ESCAPEMENT_TIMEZONE',
    `timezone: expected an IANA zone such as "Europe/Berlin", got ${show(name)}${hint(name)}`,
  )
}

/** The zone that was given, else the fallback, else that of the process. */
export function zoneOf(given: string | undefined, fallback?: string): Zone {
  return findZone(given === undefined ? (fallback ?? systemZone()) : given)
}

function hint(name: unknown): string {
  if (typeof name !== 'string') return ''
  const known = zoneHint(name)
  if (known) return `: ${known}`
  const near = nearest(name, Intl.supportedValuesOf('timeZone'))
  return near ? `; did you mean ${show(near)}?` : ''
}

/** Local time minus UTC in a zone at an instant, in ms. @throws ERR_ESCAPEMENT_TIMEZONE */
export function offsetAt(timezone: string, instant: number): number {
  return findZone(timezone).at(instant).offset
}

interface SystemZone {
  readonly name: string
  readonly problem: string | undefined
}

let system: SystemZone | undefined

/** The zone this process runs in; UTC if that is no IANA zone. */
export function systemZone(): string {
  return ofProcess().name
}

/** Why the zone of this process is not used, and UTC is; undefined if it is used. */
export function systemZoneProblem(): string | undefined {
  return ofProcess().problem
}

function ofProcess(): SystemZone {
  system ??= readSystemZone(process.env.TZ, new Intl.DateTimeFormat().resolvedOptions().timeZone)
  return system
}

/**
 * @param tz The environment variable TZ.
 * @param platform What Intl makes of it. It takes its own abbreviations for places, where Date takes them for UTC.
 */
export function readSystemZone(tz: string | undefined, platform: string | undefined): SystemZone {
  const named = tz?.replace(/^:/, '')
  if (named !== '' && !(named && isForeign(named)) && platform && zone(platform)) {
    return { name: platform, problem: undefined }
  }
  const given = tz === undefined ? `the zone of this machine, ${show(platform)},` : `TZ=${show(tz)}`
  // Offsets in TZ count to the west, as POSIX has it: what they were meant to say is not known.
  const known = /\d/.test(named ?? '') ? undefined : zoneHint(named ?? '')
  const near = nearest(named ?? '', Intl.supportedValuesOf('timeZone')) ?? 'Europe/Berlin'
  const idea = known ?? `set TZ, or the option timezone, to a zone such as ${show(near)}`
  return { name: 'UTC', problem: `${given} is no IANA zone, and UTC is used instead: ${idea}` }
}
