import type { Settings } from '../incident/settings.ts'
import type { Subject } from '../types/options.ts'

/** What an incident is reported together with: those of the same key. */
export function groupKey(subject: Subject, { groupBy, digest }: Settings): string {
  const part = typeof groupBy === 'function' ? own(groupBy, subject) : PARTS[groupBy](subject)
  return digest ? `digest ${part}` : part
}

const PARTS: Record<'all' | 'group' | 'job' | 'kind', (subject: Subject) => string> = {
  all: () => '',
  group: ({ group }) => group ?? '',
  job: ({ subject }) => subject,
  kind: ({ kind }) => kind,
}

/** A function that throws must not silence anything. */
function own(groupBy: (subject: Subject) => string, subject: Subject): string {
  try {
    return String(groupBy(subject))
  } catch {
    return ''
  }
}
