import type { Member, MemberFacts } from '@escapement/core'

/** An instance as it is kept: its skew and how it stands, its jobs, and when it was seen, in ms. */
export function memberOf(text: string, jobs: string, seen: number): Member {
  const facts = text.slice(text.indexOf('|') + 1)
  const kept = JSON.parse(facts) as MemberFacts & { instance: string }
  const own = JSON.parse(jobs === '' ? '{}' : jobs) as MemberFacts['jobs']
  const times = { startedAt: new Date(kept.startedAt), seenAt: new Date(seen) }
  return {
    ...kept,
    version: kept.version,
    roles: kept.roles,
    jobs: own,
    ...times,
    skew: Number(text.slice(0, text.indexOf('|'))),
  }
}
