import { now } from '../api/live.ts'
import type { JobView, Overview, Page, RunView, Upcoming } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { number, t } from '../i18n/index.ts'
import { Ago, Clock, Empty, JobLink, Pending, Section } from '../parts/basics.tsx'
import { OutcomeBadge } from '../parts/outcome.tsx'
import { Strip } from '../parts/strip.tsx'
import { href } from '../router.ts'
import { safe } from '../safe-text.ts'
import { span, zoneLabel } from '../time.ts'
import { Timeline } from './timeline/timeline.tsx'
import { Verdict } from './verdict.tsx'

export function OverviewPage({ overview }: { overview: Overview | undefined }) {
  const jobs = useData<Page<JobView>>('jobs?limit=1000')
  if (!jobs.data) return <Pending of={jobs} />
  const items = jobs.data.items
  return (
    <div class="overview">
      <Verdict jobs={items} overview={overview} />
      {items.length > 0 && (
        <>
          <Attention jobs={items} />
          <Timeline jobs={items} />
          <div class="columns">
            <Running jobs={items} />
            <Next jobs={items} />
          </div>
        </>
      )}
    </div>
  )
}

const SHOWN = 4

function Attention({ jobs }: { jobs: readonly JobView[] }) {
  const failures = useData<Page<RunView>>('runs?outcome=failed,timed-out,lease-lost,abandoned&limit=50')
  const all = jobs.filter((job) => job.failing || job.overdue)
  if (all.length === 0) return null
  const count = <span class="count">{number(all.length)}</span>
  return (
    <Section title={t('overview.attention')} class="attention" side={count}>
      <ul class="rows">
        {all.slice(0, SHOWN).map((job) => (
          <li key={job.name}>
            <div class="what">
              <JobLink name={job.name} />
              <Why job={job} run={failures.data?.items.find((run) => run.job === job.name)} />
            </div>
            <Strip recent={job.recent} zone={job.timezone} />
            <span class="when">{job.last && <Ago at={job.last.at} zone={job.timezone} />}</span>
          </li>
        ))}
      </ul>
      {all.length > SHOWN && <More jobs={all} />}
    </Section>
  )
}

function More({ jobs }: { jobs: readonly JobView[] }) {
  const state = jobs.some((job) => job.failing) ? 'failing' : 'overdue'
  return (
    <p class="help">
      <a href={href(['jobs'], { state })}>{t('overview.more', { n: number(jobs.length - SHOWN) })}</a>
    </p>
  )
}

/** The first line of what went wrong, and the way to the run. */
function Why({ job, run }: { job: JobView; run: RunView | undefined }) {
  if (job.overdue) {
    return (
      <span class="why o-missed">
        {t('jobs.overdue')} · <Ago at={job.overdue} zone={job.timezone} />
      </span>
    )
  }
  const message = run?.error ? safe(run.error.message).split('\n')[0] : undefined
  return (
    <a class="why" href={href(['runs', run?.id ?? job.recent.at(-1)?.id ?? ''])}>
      {job.last && <OutcomeBadge state={job.last.outcome} />}
      <bdi>{message?.slice(0, 300)}</bdi>
    </a>
  )
}

function Running({ jobs }: { jobs: readonly JobView[] }) {
  const runs = useData<Page<RunView>>('runs?state=running,waiting-retry&limit=20')
  const items = runs.data?.items ?? []
  return (
    <Section
      title={t('overview.running')}
      side={items.length > 0 && <span class="count">{items.length}</span>}
    >
      <Pending of={runs} />
      {runs.data && items.length === 0 && <Empty>{t('overview.running.none')}</Empty>}
      <ul class="rows">
        {items.map((run) => (
          <RunningRow key={run.id} run={run} usual={jobs.find((job) => job.name === run.job)?.usual} />
        ))}
      </ul>
    </Section>
  )
}

function RunningRow({ run, usual }: { run: RunView; usual: number | undefined }) {
  const elapsed = Math.max(0, now.value - Date.parse(run.startedAt ?? run.scheduledAt))
  const fraction = run.progress?.fraction ?? (usual ? Math.min(1, elapsed / usual) : undefined)
  const long = usual !== undefined && elapsed > usual * 2
  return (
    <li class="running">
      <div class="what">
        <JobLink name={run.job} />
        <a class="why" href={href(['runs', run.id])}>
          {run.progress?.note ? <bdi>{safe(run.progress.note)}</bdi> : <OutcomeBadge state={run.state} />}
        </a>
      </div>
      <div class={`bar${run.progress ? '' : ' guess'}${long ? ' long' : ''}`} aria-hidden="true">
        <i style={{ width: `${Math.round((fraction ?? 0) * 100)}%` }} />
      </div>
      <span class="when num">
        <b>{span(elapsed)}</b>
        {usual !== undefined && (
          <small class={long ? 'o-timed-out' : ''}>
            {long ? t('overview.longer') : t('overview.usual', { span: span(usual) })}
          </small>
        )}
      </span>
    </li>
  )
}

function Next({ jobs }: { jobs: readonly JobView[] }) {
  const next = firstTicks(jobs)
  return (
    <Section title={t('overview.next')} side={<span class="zone">{zoneLabel()}</span>}>
      {next.length === 0 && <Empty>{t('overview.next.none')}</Empty>}
      <ul class="rows next">
        {next.map((tick) => {
          const zone = jobs.find((job) => job.name === tick.job)?.timezone
          return (
            <li key={`${tick.job}@${tick.at}`}>
              <Clock at={tick.at} zone={zone} />
              <JobLink name={tick.job} />
              <span class="when">
                <Ago at={tick.at} zone={zone} />
              </span>
            </li>
          )
        })}
      </ul>
    </Section>
  )
}

/** The next tick of each job, the first ones: a job of seconds would fill the list alone. */
function firstTicks(jobs: readonly JobView[]): Upcoming[] {
  return jobs
    .flatMap((job) => (job.next ? [{ job: job.name, at: job.next }] : []))
    .sort((a, b) => a.at.localeCompare(b.at))
    .slice(0, 10)
}
