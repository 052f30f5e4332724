import { checkKeys, fail } from '@escapement/core/plugin'
import type { Kind, Severity } from '../types/index.ts'
import type { Match, Subject } from '../types/options.ts'

export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'error', 'critical']
export const KINDS: readonly Kind[] = [
  'failed',
  'missed',
  'slow',
  'lease-lost',
  'abandoned',
  'stopped-without-drain',
  'channel-failed',
]

const MATCH = { job: 1, group: 1, kind: 1, severity: 1 } satisfies Record<keyof Match, 1>

/** What is left out of a match fits all. */
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

/** @throws ERR_ESCAPEMENT_OPTION */
export function checkMatch(match: Match, where: string): void {
  checkKeys(match, MATCH, `${where} key`)
  for (const [key, value] of Object.entries(match)) {
    const words: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const word of words) {
      const known = key === 'kind' ? KINDS : key === 'severity' ? SEVERITIES : undefined
      const fine = known ? known.includes(word as never) : typeof word === 'string' || word instanceof RegExp
      if (!fine && value !== undefined)
        fail(`${where}.${key}`, known ? `of ${known.join(', ')}` : 'a name or a pattern', word)
    }
  }
}
