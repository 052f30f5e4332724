import type { AuditEntry, Member } from '@escapement/core'
import { upcoming } from '@escapement/core'
import { type Call, maySee, queryOf } from '../call.ts'
import { bad, given } from '../query.ts'
import type {
  AuditBody,
  FleetEventBody,
  IncidentBody,
  MemberBody,
  Page,
  PreviewBody,
  StatsBody,
} from '../types.ts'
import { plain, wordsOf } from './brief.ts'
import { tickBody } from './jobs.ts'

const DAY_MS = 86_400_000

export async function readStats(call: Call): Promise<Page<StatsBody>> {
  const query = queryOf(call, ['from', 'until', 'step', 'job', 'each'])
  const job = query.text('job')
  const each = query.choice('each', ['job']) === 'job'
  const stats = await call.scheduler.stats({
    from: query.instant('from') ?? Date.now() - DAY_MS,
    step: query.choice('step', ['hour', 'day']) ?? 'hour',
    // One that sees some of the jobs gets the sum of none.
    perJob: each || call.identity.jobs !== undefined,
    ...given({ until: query.instant('until'), job }),
  })
  const seen = stats.filter((one) => one.job === undefined || maySee(call, one.job))
  return { items: seen.map((one) => plain(one)) }
}

export async function listInstances(
  call: Call,
): Promise<Page<MemberBody> & { events: readonly FleetEventBody[] }> {
  const query = queryOf(call, ['from', 'until', 'limit'])
  const [members, events] = await Promise.all([
    call.scheduler.members(),
    call.scheduler.fleetEvents({
      limit: query.limit(),
      ...given({ from: query.instant('from'), until: query.instant('until') }),
    }),
  ])
  return { items: members.map((one) => plain(seenOf(call, one))), events: events.map((one) => plain(one)) }
}

/** An instance, with the jobs and runs that may be seen. */
function seenOf(call: Call, member: Member): Member {
  const jobs = Object.entries(member.jobs).filter(([job]) => maySee(call, job))
  return {
    ...member,
    jobs: Object.fromEntries(jobs),
    runs: member.runs.filter(({ job }) => maySee(call, job)),
  }
}

export async function listAudit(call: Call): Promise<Page<AuditBody>> {
  const query = queryOf(call, ['job', 'run', 'action', 'by', 'from', 'until', 'before', 'limit'])
  const limit = query.limit()
  const entries = await call.scheduler.audit({
    limit: limit + 1,
    ...given({
      job: query.text('job'),
      run: query.text('run'),
      action: query.text('action') as AuditEntry['action'] | undefined,
      by: query.text('by'),
      from: query.instant('from'),
      until: query.instant('until'),
      before: query.text('before'),
    }),
  })
  const items = entries.slice(0, limit).filter(({ job }) => job === undefined || maySee(call, job))
  return {
    items: items.map((one) => plain(one)),
    ...(entries.length > limit && { next: entries[limit - 1]?.id as string }),
  }
}

export async function listIncidents(call: Call): Promise<Page<IncidentBody>> {
  queryOf(call, [])
  const incidents = await call.scheduler.incidents()
  const seen = incidents.filter(({ job }) => typeof job !== 'string' || maySee(call, job))
  return { items: seen.slice(0, 500).map(incidentBody) }
}

/** As a plugin for alerts keeps it. */
function incidentBody(kept: Readonly<Record<string, unknown>>): IncidentBody {
  const time = (at: unknown) => new Date(Number(at ?? 0)).toISOString()
  const [error] = (kept.errors ?? []) as { message?: unknown }[]
  return {
    key: String(kept.key),
    version: Number(kept.version),
    job: String(kept.job ?? kept.subject ?? ''),
    kind: String(kept.kind ?? ''),
    count: Number(kept.count ?? 1),
    since: time(kept.openedAt),
    lastAt: time(kept.lastAt ?? kept.openedAt),
    message: String(kept.detail ?? error?.message ?? '').slice(0, 1_000),
    ...(typeof kept.recoveredAt === 'number' && { recoveredAt: time(kept.recoveredAt) }),
  }
}

/** A schedule that somebody is writing: in words, with its next ticks. */
export function readPreview(call: Call): PreviewBody {
  const query = queryOf(call, ['schedule', 'timezone', 'limit'])
  const schedule = query.text('schedule', 500) ?? bad('schedule', 'given: a cron expression')
  const timezone = query.text('timezone') ?? call.scheduler.timezone
  const ticks = upcoming(schedule, { timezone, seed: 'preview', count: query.limit() })
  return {
    schedule,
    timezone,
    upcoming: [...ticks].map((tick) => ({ job: 'preview', ...tickBody(tick) })),
    ...given({ words: wordsOf(schedule, 'preview', call.lang) }),
  }
}
