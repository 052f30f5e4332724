import type { ComponentChildren } from 'preact'
import { segment } from '../api/client.ts'
import type { JobDetail, Page, RunView } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t, word } from '../i18n/index.ts'
import { Section, When } from '../parts/basics.tsx'
import { Mark } from '../parts/outcome.tsx'
import { href } from '../router.ts'
import { safe } from '../safe-text.ts'
import { span, zoneLabel } from '../time.ts'

export function Facts({ run }: { run: RunView }) {
  return (
    <Section title={t('run.facts')} side={<span class="zone">{zoneLabel()}</span>}>
      <dl class="facts">
        <Fact name={t('run.scheduled')}>
          <When at={run.scheduledAt} />
        </Fact>
        {run.startedAt && (
          <Fact name={t('col.started')}>
            <When at={run.startedAt} />
          </Fact>
        )}
        <Fact name={t('run.late')}>{span(run.late)}</Fact>
        <Fact name={t('col.cause')}>
          {word('cause', run.cause)}
          {run.reason && `: ${word('reason', run.reason)}`}
        </Fact>
        <AskedBy run={run} />
        <Fact name={t('run.attempts')}>{run.attempt}</Fact>
        {run.restarts > 0 && <Fact name={t('run.restarts')}>{run.restarts}</Fact>}
        <Other name={t('run.parent')} id={run.parent} />
        <Other name={t('run.retryOf')} id={run.retryOf} />
        <Later run={run} />
        <Trace run={run} />
        <Fact name={t('col.instance')}>
          <bdi>{safe(run.instance)}</bdi>
        </Fact>
        {run.fence !== undefined && <Fact name={t('run.fence')}>{run.fence}</Fact>}
        <Fact name={t('run.key')}>
          <code>{safe(run.key)}</code>
        </Fact>
      </dl>
    </Section>
  )
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** The runs that came of this one: those that ran it again, and those of the jobs that follow. */
function Later({ run }: { run: RunView }) {
  const job = useData<JobDetail>(run.endedAt ? `jobs/${segment(run.job)}` : undefined)
  const from = `from=${run.endedAt}&limit=200`
  const ofJob = `runs?job=${encodeURIComponent(run.job)}&cause=retry&${from}`
  const again = useData<Page<RunView>>(run.endedAt ? ofJob : undefined)
  const follows = (job.data?.followers.length ?? 0) > 0
  const after = useData<Page<RunView>>(follows ? `runs?cause=after&until=${soon(run)}&${from}` : undefined)
  return (
    <>
      <Others name={t('run.again')} runs={again.data?.items.filter(({ retryOf }) => retryOf === run.id)} />
      <Others name={t('run.then')} runs={after.data?.items.filter(({ parent }) => parent === run.id)} />
    </>
  )
}

/** Followers begin when a run has ended, or when their own turn comes. */
const soon = (run: RunView) => new Date(Date.parse(run.endedAt ?? run.scheduledAt) + 3_600_000).toISOString()

function Others({ name, runs = [] }: { name: string; runs: readonly RunView[] | undefined }) {
  if (runs.length === 0) return null
  return (
    <Fact name={name}>
      <ul class="plain">
        {runs.map((run) => (
          <li key={run.id}>
            <Mark state={run.state} />{' '}
            <a href={href(['runs', run.id])}>
              <bdi>{safe(run.job)}</bdi>
            </a>
          </li>
        ))}
      </ul>
    </Fact>
  )
}

function Other({ name, id }: { name: string; id: string | undefined }) {
  if (!id) return null
  return (
    <Fact name={name}>
      <a href={href(['runs', id])}>
        <code>{safe(id)}</code>
      </a>
    </Fact>
  )
}

function Trace({ run }: { run: RunView }) {
  if (!run.traceId) return null
  const id = <code>{safe(run.traceId)}</code>
  const safeUrl = run.traceUrl && /^https?:\/\//i.test(run.traceUrl) ? run.traceUrl : undefined
  return (
    <Fact name={t('run.trace')}>
      {safeUrl ? (
        <a href={safeUrl} target="_blank" rel="noopener noreferrer">
          {id}
        </a>
      ) : (
        id
      )}
    </Fact>
  )
}

function AskedBy({ run }: { run: RunView }) {
  if (!run.asked) return null
  return (
    <Fact name={t('run.asked')}>
      <bdi>{safe(run.asked.by ?? '–')}</bdi>
      {run.asked.reason && (
        <small>
          <bdi>{safe(run.asked.reason)}</bdi>
        </small>
      )}
    </Fact>
  )
}
