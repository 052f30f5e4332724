import type { Host } from '@escapement/core'
import { answer } from '@escapement/core/plugin'
import { jobFacts } from '../incident/serialize.ts'
import type { Incident, Notice, Severity } from '../types/index.ts'

/** The longest time that the store is asked for the last success, in ms. */
const PATIENCE = 5000

/** What a channel gets about an incident now. */
export async function notice(
  incident: Incident,
  parts: {
    channel: string
    escalated: boolean
    severity: Severity
    host: Host
    /** By job: when it last succeeded in this process. */
    succeeded: ReadonlyMap<string, number>
  },
): Promise<Notice> {
  const { channel, escalated, severity, host, succeeded } = parts
  const { id, kind, subject, count, run, errors, detail } = incident
  const date = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms))
  const job = incident.job === undefined ? undefined : host.job(incident.job)
  return {
    incident: id,
    kind,
    status: incident.recoveredAt === undefined ? 'open' : 'recovered',
    severity,
    subject,
    told: incident.told[channel]?.times ?? 0,
    escalated,
    count,
    openedAt: new Date(incident.openedAt),
    lastAt: new Date(incident.lastAt),
    recoveredAt: date(incident.recoveredAt),
    job: job && jobFacts(job, host.timezone),
    run,
    errors,
    detail,
    lastSuccess: job && date(succeeded.get(job.name) ?? (await kept(host, job.name))),
  }
}

/** When the job last succeeded, as far as the store knows. */
async function kept({ store, clock }: Host, job: string): Promise<number | undefined> {
  try {
    const asked = store.runs({ job, outcome: 'succeeded', limit: 1 })
    const [run] = await answer(clock, asked, PATIENCE, 'the store')
    return run?.endedAt?.getTime()
  } catch {
    return undefined
  }
}
