import type { AuditEntry, Page } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t, word } from '../i18n/index.ts'
import { Ago, Empty, JobLink, Pending, When } from '../parts/basics.tsx'
import { href } from '../router.ts'
import { safe } from '../safe-text.ts'

export function AuditPage() {
  const audit = useData<Page<AuditEntry>>('audit?limit=200')
  const items = audit.data?.items
  return (
    <>
      <h1>{t('nav.audit')}</h1>
      <Pending of={audit} />
      {items?.length === 0 && <Empty>{t('audit.none')}</Empty>}
      {items && items.length > 0 && (
        <ul class="card rows audit">
          {items.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </ul>
      )}
    </>
  )
}

function Entry({ entry }: { entry: AuditEntry }) {
  return (
    <li>
      <div class="what">
        <span>
          <b>
            <bdi>{safe(entry.by ?? '–')}</bdi>
          </b>{' '}
          {word('audit', entry.action)} {entry.job ? <JobLink name={entry.job} /> : t('audit.all')}
          {entry.run && (
            <>
              {' '}
              · <a href={href(['runs', entry.run])}>{t('job.runs')}</a>
            </>
          )}
        </span>
        <small>
          {entry.refused && <span class="o-failed">{t('audit.refused', { why: safe(entry.refused) })} </span>}
          <bdi>{safe(entry.reason ?? '')}</bdi>
        </small>
      </div>
      <span class="when">
        <Ago at={entry.at} />
        <small>
          <When at={entry.at} />
        </small>
      </span>
    </li>
  )
}
