import { useMemo, useState } from 'preact/hooks'
import { now } from '../../api/live.ts'
import type { JobView, Page, RunView, Upcoming } from '../../api/types.ts'
import { useData } from '../../api/use-data.ts'
import { number, t } from '../../i18n/index.ts'
import { Section } from '../../parts/basics.tsx'
import { Choice } from '../../parts/choice.tsx'
import { isBad } from '../../parts/outcome.tsx'
import { full, zoneFor, zoneLabel } from '../../time.ts'
import { Chart } from './chart.tsx'
import { HOUR, type Lane, lanesOf, type View, zoomed } from './model.ts'

const MOST_RUNS = 2_000
/** Above this many jobs, groups are what can be read at a glance. */
const MANY = 60

export function Timeline({ jobs }: { jobs: readonly JobView[] }) {
  const [shift, setView] = useState<View | undefined>(undefined)
  const grouped = useMemo(() => jobs.some((job) => job.group), [jobs])
  const [by, setBy] = useState<'jobs' | 'groups'>(grouped && jobs.length > MANY ? 'groups' : 'jobs')
  const view = shift ?? around(now.value)
  const { runs, ticks } = useSight(view)
  const known = runs.data?.items
  const lanes = useMemo(
    () => lanesOf(jobs, known ?? [], ticks.data?.items ?? [], nameBy[by]),
    [jobs, known, ticks.data, by],
  )
  const side = (
    <div class="tools">
      <span class="zone">{zoneLabel()}</span>
      {grouped && <By value={by} set={setBy} />}
      <ZoomButtons
        zoom={(factor) => setView(zoomed(view, factor, (view.from + view.until) / 2))}
        reset={shift ? () => setView(undefined) : undefined}
      />
    </div>
  )
  return (
    <Section title={t('overview.timeline')} side={side} class="timeline">
      <Chart
        lanes={lanes}
        view={view}
        setView={setView}
        linked={by === 'jobs'}
        summary={summary(lanes, view)}
      />
      <p class="help">
        {t('overview.timeline.help')}{' '}
        {runs.data?.next && t('overview.timeline.cut', { n: number(runs.data.items.length) })}
      </p>
    </Section>
  )
}

const nameBy = {
  jobs: (job: JobView) => job.name,
  groups: (job: JobView) => job.group ?? t('group.none'),
}

/** Twelve hours before and after; it moves each minute. */
function around(at: number): View {
  const minute = Math.floor(at / 60_000) * 60_000
  return { from: minute - 12 * HOUR, until: minute + 12 * HOUR }
}

/** What ran and what comes in sight. The questions stay the same for five minutes, so that their answers can be kept. */
function useSight(view: View) {
  const block = Math.floor(now.value / 300_000) * 300_000
  const from = Math.min(block - 12 * HOUR, Math.floor(view.from / HOUR) * HOUR)
  const until = Math.max(block + 12 * HOUR, Math.ceil(view.until / HOUR) * HOUR)
  return {
    runs: useData<Page<RunView>>(`runs?from=${iso(from)}&limit=${MOST_RUNS}`),
    ticks: useData<Page<Upcoming>>(`upcoming?until=${iso(until)}&limit=10000`),
  }
}

function By({ value, set }: { value: 'jobs' | 'groups'; set: (value: 'jobs' | 'groups') => void }) {
  const options = [
    ['jobs', t('timeline.jobs')],
    ['groups', t('timeline.groups')],
  ] as const
  return <Choice label={t('jobs.group')} value={value} set={set} options={options} />
}

const iso = (at: number) => new Date(at).toISOString()

/** What a screen reader says of the picture. */
function summary(lanes: readonly Lane[], view: View): string {
  const bars = lanes.flatMap((lane) => lane.bars)
  return t('overview.timeline.summary', {
    jobs: lanes.length,
    from: full(view.from, zoneFor()),
    to: full(view.until, zoneFor()),
    runs: bars.length,
    failed: bars.filter((bar) => isBad(bar.state)).length,
  })
}

function ZoomButtons({ zoom, reset }: { zoom: (factor: number) => void; reset: (() => void) | undefined }) {
  return (
    <div class="choice">
      <button
        type="button"
        aria-label={t('timeline.out')}
        title={t('timeline.out')}
        onClick={() => zoom(1.6)}
      >
        −
      </button>
      <button
        type="button"
        aria-label={t('timeline.reset')}
        title={t('timeline.reset')}
        disabled={!reset}
        onClick={reset}
      >
        ±12
      </button>
      <button
        type="button"
        aria-label={t('timeline.in')}
        title={t('timeline.in')}
        onClick={() => zoom(0.625)}
      >
        +
      </button>
    </div>
  )
}
