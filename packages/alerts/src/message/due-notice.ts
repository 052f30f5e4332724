import type { Settings } from '../incident/settings.ts'
import type { Incident } from '../types/index.ts'

/** When an incident goes to a channel, in ms: not before `from`, and at `by` without waiting for others. */
export interface Want {
  from: number
  by: number
  /** Told only because nobody ended it in time. */
  escalated: boolean
}

/**
 * The notice of an incident that a channel still has to get; undefined when there is none.
 * All policy of one incident on one channel is in here; what concerns several is the outbox's.
 */
export function want(incident: Incident, channel: string, settings: Settings): Want | undefined {
  if (!settings.enabled || incident.firmAt === undefined) return undefined
  // A broken channel is reported by the others.
  if (incident.kind === 'channel-failed' && incident.subject === channel) return undefined
  const told = incident.told[channel]
  const due = route(incident, channel, settings)
  if (told) return again(incident, told, due?.escalated ?? true, settings)
  if (due === undefined) return undefined
  if (due.escalated) {
    // What is over needs nobody else.
    return incident.recoveredAt === undefined ? { from: due.at, by: due.at, escalated: true } : undefined
  }
  return { from: due.at, by: gather(due.at, settings, settings.groupWait), escalated: false }
}

function again(
  incident: Incident,
  told: Incident['told'][string],
  escalated: boolean,
  settings: Settings,
): Want | undefined {
  if (incident.recoveredAt !== undefined) {
    if (told.recovered || !settings.recovery) return undefined
    return { from: incident.recoveredAt, by: gather(incident.recoveredAt, settings, 0), escalated }
  }
  if (momentary(incident)) return undefined
  const at = incident.types.length > told.types ? incident.lastAt : told.at + settings.repeat
  return at === Infinity ? undefined : { from: at, by: gather(at, settings, 0), escalated }
}

/** It has no end that could be told. */
export function momentary({ kind }: Incident): boolean {
  return kind === 'stopped-without-drain'
}

/** From when on an incident goes to a channel. */
function route(
  incident: Incident,
  channel: string,
  settings: Settings,
): { at: number; escalated: boolean } | undefined {
  const firmAt = incident.firmAt as number
  const levels = settings.escalate.filter(({ to }) => to.includes(channel))
  if (settings.to ? settings.to.includes(channel) : levels.length === 0)
    return { at: firmAt, escalated: false }
  const times = levels.map(({ times, after }) =>
    incident.count >= times ? Math.min(incident.lastAt, firmAt + after) : firmAt + after,
  )
  const at = Math.min(...times)
  return at === Infinity ? undefined : { at, escalated: true }
}

function gather(at: number, { digest }: Settings, wait: number): number {
  return digest ? (digest.next(new Date(at))?.getTime() ?? at + wait) : at + wait
}
