import type { Incident, Page } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t } from '../i18n/index.ts'
import { Ago, Empty, JobLink, Pending } from '../parts/basics.tsx'
import { safe } from '../safe-text.ts'

export function IncidentsPage() {
  const incidents = useData<Page<Incident>>('incidents')
  const items = incidents.data?.items
  return (
    <>
      <h1>{t('nav.incidents')}</h1>
      <Pending of={incidents} />
      {items?.length === 0 && <Empty>{t('incidents.none')}</Empty>}
      <ul class="cards">
        {items?.map((incident) => (
          <li key={incident.key} class="card incident">
            <header>
              <JobLink name={incident.job} />
              <span class="badge o-failed">{safe(incident.kind)}</span>
            </header>
            <pre class="message">{safe(incident.message)}</pre>
            <p class="faint">
              {t('incidents.count', { n: incident.count })} · <Ago at={incident.since} /> –{' '}
              <Ago at={incident.lastAt} />
              {incident.acknowledgedBy && (
                <>
                  {' '}
                  · ✓ <bdi>{safe(incident.acknowledgedBy)}</bdi>
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </>
  )
}
