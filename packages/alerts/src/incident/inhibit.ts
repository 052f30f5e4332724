import type { Incident } from '../types/index.ts'
import type { Inhibition, Subject } from '../types/options.ts'
import { matches } from './match.ts'
import type { Settings } from './settings.ts'

/** An open failure says enough: that its job is slow or late too adds nothing. */
export const INHIBIT: readonly Inhibition[] = [
  { when: { kind: 'failed' }, mute: { kind: ['slow', 'missed'] }, same: 'job' },
]

/**
 * Finds what is muted by what is open now. Looks once at all incidents, so that asking for each is cheap.
 *
 * @param about What is known of an incident: its group, which may change, and its severity.
 */
export function inhibited(
  rules: readonly Inhibition[],
  incidents: Iterable<Incident>,
  about: (incident: Incident) => { subject: Subject; settings: Settings },
): (incident: Incident) => boolean {
  const scopes = rules.map(() => new Map<string, number>())
  for (const incident of incidents) {
    if (incident.recoveredAt !== undefined || incident.firmAt === undefined) continue
    const { subject, settings } = about(incident)
    rules.forEach(({ when, same }, i) => {
      if (!matches(when, subject, settings.severity)) return
      const scope = scopeOf(subject, same)
      scopes[i]?.set(scope, (scopes[i]?.get(scope) ?? 0) + 1)
    })
  }
  return (incident) => {
    const { subject, settings } = about(incident)
    return rules.some(({ when, mute, same }, i) => {
      if (!matches(mute, subject, settings.severity)) return false
      const open = scopes[i]?.get(scopeOf(subject, same)) ?? 0
      // Nothing mutes itself.
      const self = incident.recoveredAt === undefined && matches(when, subject, settings.severity) ? 1 : 0
      return open > self
    })
  }
}

function scopeOf(subject: Subject, same: Inhibition['same']): string {
  if (same === 'job') return `job:${subject.job}`
  return same === 'group' ? `group:${subject.group}` : ''
}
