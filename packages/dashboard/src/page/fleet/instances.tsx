import { now } from '../api/live.ts'
import type { Instance, Page } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t } from '../i18n/index.ts'
import { Empty, JobLink, Pending } from '../parts/basics.tsx'
import { safe } from '../safe-text.ts'
import { relative, span } from '../time.ts'

const LATE_MS = 15_000
const LAG_MS = 200
const SKEW_MS = 500

export function InstancesPage() {
  const instances = useData<Page<Instance>>('instances')
  const items = instances.data?.items
  return (
    <>
      <h1>{t('nav.instances')}</h1>
      <Pending of={instances} />
      {items?.length === 0 && <Empty>{t('instances.none')}</Empty>}
      <ul class="cards">
        {items?.map((each) => (
          <Card key={each.instance} of={each} />
        ))}
      </ul>
    </>
  )
}

function Card({ of: it }: { of: Instance }) {
  const late = now.value - Date.parse(it.seenAt) > LATE_MS
  const skew = it.skew ?? 0
  return (
    <li class="card instance">
      <header>
        <i class={`dot ${late ? 'o-failed' : 'o-succeeded'}`} aria-hidden="true" />
        <b>
          <bdi>{safe(it.host)}</bdi>
        </b>
        <span class="faint num">{it.pid}</span>
        {it.version && <code>{safe(it.version)}</code>}
      </header>
      <p class="faint small">
        <bdi>{safe(it.instance)}</bdi>
      </p>
      <p class={late ? 'o-failed' : ''}>
        {t('instances.up', { span: span(Math.max(0, now.value - Date.parse(it.startedAt))) })} ·{' '}
        {t('instances.seen', { ago: relative(it.seenAt, now.value) })}
      </p>
      {it.lag > LAG_MS && <p class="o-timed-out">{t('instances.lag', { span: span(it.lag) })}</p>}
      {Math.abs(skew) > SKEW_MS && (
        <p class="o-timed-out">{t('instances.skew', { span: span(Math.abs(skew)) })}</p>
      )}
      <p>{t('instances.runs', { n: it.runs.length })}</p>
      <ul class="inline">
        {it.runs.slice(0, 8).map((run) => (
          <li key={run.id}>
            <JobLink name={run.job} />
          </li>
        ))}
      </ul>
    </li>
  )
}
