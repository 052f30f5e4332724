import { now } from '../api/live.ts'
import type { FleetEvent, Instance, Page } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t, word } from '../i18n/index.ts'
import { Ago, Empty, JobLink, Pending, Section, When } from '../parts/basics.tsx'
import { safe } from '../safe-text.ts'
import { relative, span, zoneLabel } from '../time.ts'

const LATE_MS = 15_000
const LAG_MS = 200
const SKEW_MS = 500

export function InstancesPage() {
  const instances = useData<Page<Instance> & { events: readonly FleetEvent[] }>('instances')
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
      {items && <Events events={instances.data?.events ?? []} />}
    </>
  )
}

/** Starts, ends and outages of the lock in the last 30 days, the newest first. */
function Events({ events }: { events: readonly FleetEvent[] }) {
  if (events.length === 0) return null
  return (
    <Section title={t('instances.events')} side={<span class="zone">{zoneLabel()}</span>} class="events">
      <ul class="rows audit">
        {events.slice(0, 60).map((event, i) => (
          <li key={i}>
            <div class="what">
              <span>
                <i class={`dot ${TONES[event.kind] ?? 'o-skipped'}`} aria-hidden="true" />
                <b>
                  <bdi>{safe(event.instance)}</bdi>
                </b>{' '}
                {word('event', event.kind)}
              </span>
              {event.note && (
                <small>
                  <bdi>{safe(event.note)}</bdi>
                </small>
              )}
            </div>
            <span class="when">
              <Ago at={event.at} />
              <small>
                <When at={event.at} />
              </small>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

const TONES: Readonly<Record<string, string>> = {
  started: 'o-succeeded',
  lost: 'o-failed',
  'lock-unavailable': 'o-timed-out',
  'lock-available': 'o-succeeded',
}

const runsKey = (n: number) =>
  n === 0 ? 'instances.runs.none' : n === 1 ? 'instances.runs.one' : 'instances.runs'

function Card({ of: it }: { of: Instance }) {
  const late = now.value - Date.parse(it.seenAt) > LATE_MS
  const skew = it.skew ?? 0
  return (
    <li class="card instance">
      <header>
        <i class={`dot ${late ? 'o-failed' : 'o-succeeded'}`} aria-hidden="true" />
        <b>
          <bdi>{safe(it.instance)}</bdi>
        </b>
        {it.version && <code>{safe(it.version)}</code>}
      </header>
      <p class="faint small">
        <bdi>{safe(it.host)}</bdi> · <span class="num">{it.pid}</span>
        {it.roles && ` · ${safe(it.roles.join(', '))}`}
      </p>
      <p class={late ? 'o-failed' : ''}>
        {t('instances.up', { span: span(Math.max(0, now.value - Date.parse(it.startedAt))) })} ·{' '}
        {t('instances.seen', { ago: relative(it.seenAt, now.value) })}
      </p>
      {it.lag > LAG_MS && <p class="o-timed-out">{t('instances.lag', { span: span(it.lag) })}</p>}
      {Math.abs(skew) > SKEW_MS && (
        <p class="o-timed-out">{t('instances.skew', { span: span(Math.abs(skew)) })}</p>
      )}
      <p>{t(runsKey(it.runs.length), { n: it.runs.length })}</p>
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
