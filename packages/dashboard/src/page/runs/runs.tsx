import { useState } from 'preact/hooks'
import type { Page, RunView } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t, word } from '../i18n/index.ts'
import { Empty, Pending } from '../parts/basics.tsx'
import { Search, Select } from '../parts/choice.tsx'
import { filter, route } from '../router.ts'
import { RunList } from './run-list.tsx'

const OUTCOMES = [
  'succeeded',
  'failed',
  'timed-out',
  'cancelled',
  'lease-lost',
  'abandoned',
  'missed',
  'skipped',
]
const CAUSES = ['schedule', 'manual', 'catch-up', 'rerun', 'after', 'retry']
const SINCE: Readonly<Record<string, number>> = { hour: 3_600_000, today: 86_400_000, week: 604_800_000 }
const FIVE_MINUTES = 300_000

/** The filters of the address, as the API takes them. */
function queryOf(query: URLSearchParams, limit: number): string {
  const asked = new URLSearchParams({ limit: String(limit) })
  for (const name of ['job', 'outcome', 'cause', 'text']) {
    const value = query.get(name)
    if (value) asked.set(name, value)
  }
  const since = SINCE[query.get('since') ?? '']
  // Rounded, so that the answer can be kept.
  const from = since && Math.floor((Date.now() - since) / FIVE_MINUTES) * FIVE_MINUTES
  if (from) asked.set('from', new Date(from).toISOString())
  return `runs?${asked}`
}

export function RunsPage() {
  return (
    <>
      <h1>{t('nav.runs')}</h1>
      <Filters />
      <FoundRuns query={route.value.query} />
    </>
  )
}

const STEP = 100
const MOST = 1_000

export function FoundRuns({ query }: { query: URLSearchParams }) {
  const [limit, setLimit] = useState(STEP)
  const runs = useData<Page<RunView>>(queryOf(query, limit))
  return (
    <>
      <Pending of={runs} />
      {runs.data?.items.length === 0 && <Empty>{t('runs.none')}</Empty>}
      {runs.data && runs.data.items.length > 0 && <RunList runs={runs.data.items} />}
      {runs.data?.next && limit < MOST && (
        <button type="button" onClick={() => setLimit(Math.min(MOST, limit + 3 * STEP))}>
          {t('act.more')}
        </button>
      )}
    </>
  )
}

function Filters() {
  const { query } = route.value
  const any = ['', t('jobs.any')] as const
  const select = (name: string, label: string, options: readonly (readonly [string, string])[]) => (
    <Select
      label={label}
      value={query.get(name) ?? ''}
      set={(value) => filter(name, value)}
      options={options}
    />
  )
  return (
    <div class="filters">
      <Search label={t('runs.search')} value={query.get('text') ?? ''} set={(text) => filter('text', text)} />
      {select('outcome', t('runs.outcome'), [
        any,
        ...OUTCOMES.map((each) => [each, word('outcome', each)] as const),
      ])}
      {select('cause', t('col.cause'), [any, ...CAUSES.map((each) => [each, word('cause', each)] as const)])}
      {select('since', t('runs.day'), [
        any,
        ['hour', t('runs.hour')],
        ['today', t('runs.today')],
        ['week', t('runs.week')],
      ])}
    </div>
  )
}
