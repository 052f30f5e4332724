import { useState } from 'preact/hooks'
import type { JobView, Page } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { number, t } from '../i18n/index.ts'
import { Empty, Pending } from '../parts/basics.tsx'
import { Choice, Search, Select } from '../parts/choice.tsx'
import { filter, route } from '../router.ts'
import { JobRow } from './job-row.tsx'

type State = 'all' | 'failing' | 'overdue' | 'running' | 'paused'

const STATES: Readonly<Record<State, (job: JobView) => boolean>> = {
  all: () => true,
  failing: (job) => job.failing,
  overdue: (job) => job.overdue !== undefined,
  running: (job) => job.running > 0,
  paused: (job) => job.paused !== undefined,
}
const PAGE = 100

export function JobsPage({ mayAct }: { mayAct: boolean }) {
  const jobs = useData<Page<JobView>>('jobs?limit=1000')
  const [most, setMost] = useState(PAGE)
  const all = jobs.data?.items ?? []
  const found = matching(all)
  return (
    <>
      <h1>{t('nav.jobs')}</h1>
      <Filters jobs={all} />
      <Pending of={jobs} />
      {jobs.data && found.length === 0 && (
        <Empty>{t(all.length === 0 ? 'verdict.empty.how' : 'jobs.none')}</Empty>
      )}
      {found.length > 0 && <JobTable jobs={found.slice(0, most)} mayAct={mayAct} />}
      <p class="count" role="status">
        {t('jobs.shown', { n: number(Math.min(most, found.length)), all: number(all.length) })}
      </p>
      {found.length > most && (
        <button
          type="button"
          onClick={() => setMost(most + PAGE)}
        >{`+${number(Math.min(PAGE, found.length - most))}`}</button>
      )}
    </>
  )
}

function matching(jobs: readonly JobView[]): JobView[] {
  const { query } = route.value
  const words = (query.get('text') ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const fits = STATES[(query.get('state') ?? 'all') as State] ?? STATES.all
  const [group, owner] = [query.get('group'), query.get('owner')]
  return jobs.filter((job) => {
    if (!fits(job) || (group && (job.group ?? '') !== group) || (owner && job.owner !== owner)) return false
    const text =
      `${job.name} ${job.description ?? ''} ${job.group ?? ''} ${job.owner ?? ''} ${job.schedule ?? ''}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

function Filters({ jobs }: { jobs: readonly JobView[] }) {
  const { query } = route.value
  const state = (query.get('state') ?? 'all') as State
  return (
    <div class="filters">
      <Search label={t('jobs.search')} value={query.get('text') ?? ''} set={(text) => filter('text', text)} />
      <Choice
        label={t('col.state')}
        value={state}
        set={(value) => filter('state', value === 'all' ? undefined : value)}
        options={(Object.keys(STATES) as State[]).map((each) => [each, label(each, jobs)])}
      />
      <Property name="group" label={t('jobs.group')} values={jobs.map((job) => job.group)} />
      <Property name="owner" label={t('jobs.owner')} values={jobs.map((job) => job.owner)} />
    </div>
  )
}

function label(state: State, jobs: readonly JobView[]): string {
  const count = state === 'all' ? 0 : jobs.filter(STATES[state]).length
  return count > 0 ? `${t(`jobs.${state}`)} ${number(count)}` : t(`jobs.${state}`)
}

function Property(props: { name: string; label: string; values: readonly (string | undefined)[] }) {
  const values = [...new Set(props.values.filter((each) => each !== undefined))].sort()
  if (values.length === 0) return null
  return (
    <Select
      label={props.label}
      value={route.value.query.get(props.name) ?? ''}
      set={(value) => filter(props.name, value)}
      options={[['', t('jobs.any')], ...values.map((each) => [each, each] as const)]}
    />
  )
}

function JobTable({ jobs, mayAct }: { jobs: readonly JobView[]; mayAct: boolean }) {
  return (
    <div class="card list jobs" role="table" aria-label={t('nav.jobs')}>
      <div role="row" class="head">
        {(['col.job', 'col.schedule', 'col.next', 'col.recent', 'col.usual'] as const).map((key) => (
          <span key={key} role="columnheader">
            {t(key)}
          </span>
        ))}
        <span role="columnheader">
          <span class="hidden">{t('col.action')}</span>
        </span>
      </div>
      {jobs.map((job) => (
        <JobRow key={job.name} job={job} mayAct={mayAct} />
      ))}
    </div>
  )
}
