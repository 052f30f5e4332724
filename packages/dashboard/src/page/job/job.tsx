import { segment } from '../api/client.ts'
import type { Counts, JobDetail, JobView, Page, Upcoming } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t } from '../i18n/index.ts'
import { Actions } from '../jobs/actions.tsx'
import { Paused, Schedule } from '../jobs/job-row.tsx'
import { Ago, Empty, Pending, Section, When } from '../parts/basics.tsx'
import { OutcomeBadge } from '../parts/outcome.tsx'
import { Strip } from '../parts/strip.tsx'
import { Fact } from '../run/facts.tsx'
import { FoundRuns } from '../runs/runs.tsx'
import { safe } from '../safe-text.ts'
import { span, zoneFor, zoneLabel } from '../time.ts'
import { Distribution } from './distribution.tsx'
import { Neighbours } from './neighbours.tsx'
import { Why } from './why.tsx'
import { Year } from './year.tsx'

const YEAR_MS = 365 * 86_400_000
const DAY_MS = 86_400_000

export function JobPage({ name, mayAct }: { name: string; mayAct: boolean }) {
  const found = useData<JobDetail>(`jobs/${segment(name)}`)
  const from = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - YEAR_MS).toISOString()
  const stats = useData<Page<Counts>>(`stats?job=${encodeURIComponent(name)}&step=day&from=${from}`)
  const job = found.data
  if (!job) return <Pending of={found} />
  const days = stats.data?.items ?? []
  return (
    <>
      <Title job={job} mayAct={mayAct} />
      {job.description && (
        <p class="lead">
          <bdi>{safe(job.description)}</bdi>
        </p>
      )}
      <div class="columns">
        <JobFacts job={job} days={days} />
        <div class="pile">
          <NextTicks job={job} />
          <Why job={job} />
        </div>
      </div>
      <Section title={t('job.year')}>
        <Year job={job} days={days} />
      </Section>
      <Neighbours job={job} />
      <div class="columns">
        <Section title={t('job.durations')}>
          <Distribution days={days} of="durations" />
        </Section>
        <Section title={t('job.lateness')}>
          <Distribution days={days} of="lateness" />
        </Section>
      </div>
      <h2>{t('job.runs')}</h2>
      <FoundRuns query={new URLSearchParams({ job: name })} />
    </>
  )
}

function Title({ job, mayAct }: { job: JobView; mayAct: boolean }) {
  const outcome = job.recent.at(-1)?.outcome ?? job.last?.outcome
  return (
    <div class="title">
      <h1>
        <bdi>{safe(job.name)}</bdi>
      </h1>
      {outcome && <OutcomeBadge state={outcome} />}
      {job.paused && (
        <span class="pausedline">
          <Paused pause={job.paused} zone={job.timezone} />
        </span>
      )}
      <span class="grow" />
      {mayAct && <Actions job={job} />}
    </div>
  )
}

function JobFacts({ job, days }: { job: JobView; days: readonly Counts[] }) {
  return (
    <Section title={t('job.facts')}>
      <dl class="facts">
        <Fact name={t('col.schedule')}>
          <Schedule job={job} />
        </Fact>
        <Fact name={t('col.recent')}>
          <Strip recent={job.recent} zone={job.timezone} />
        </Fact>
        {job.usual !== undefined && <Fact name={t('col.usual')}>{span(job.usual)}</Fact>}
        <Fact name={t('job.rate')}>{rate(days)}</Fact>
        {job.group && (
          <Fact name={t('jobs.group')}>
            <bdi>{safe(job.group)}</bdi>
          </Fact>
        )}
        {job.owner && (
          <Fact name={t('jobs.owner')}>
            <bdi>{safe(job.owner)}</bdi>
          </Fact>
        )}
        {job.role && (
          <Fact name={t('job.role')}>
            <bdi>{safe(job.role)}</bdi>
          </Fact>
        )}
        {job.runbook && (
          <Fact name={t('job.runbook')}>
            <Runbook url={job.runbook} />
          </Fact>
        )}
      </dl>
    </Section>
  )
}

function Runbook({ url }: { url: string }) {
  if (!/^https?:\/\//i.test(url)) return <bdi>{safe(url)}</bdi>
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      <bdi>{safe(url)}</bdi>
    </a>
  )
}

function rate(days: readonly Counts[]): string {
  let [good, all] = [0, 0]
  for (const day of days.slice(-30)) {
    good += day.outcomes.succeeded ?? 0
    all += day.runs
  }
  return all === 0 ? '–' : `${((100 * good) / all).toFixed(good === all ? 0 : 1)} % (${good}/${all})`
}

function NextTicks({ job }: { job: JobView }) {
  const ticks = useData<Page<Upcoming>>(`jobs/${segment(job.name)}/upcoming?limit=5`)
  const items = ticks.data?.items ?? []
  return (
    <Section
      title={t('job.next')}
      side={<span class="zone">{zoneLabel(zoneFor(job.timezone) ?? job.timezone)}</span>}
    >
      <Pending of={ticks} />
      {ticks.data && items.length === 0 && <Empty>{t('overview.next.none')}</Empty>}
      <ul class="rows next">
        {items.map((tick) => (
          <li key={tick.at}>
            <When at={tick.at} zone={job.timezone} />
            <span class="why o-timed-out">{tick.note && safe(tick.note)}</span>
            <span class="when">
              <Ago at={tick.at} zone={job.timezone} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}
