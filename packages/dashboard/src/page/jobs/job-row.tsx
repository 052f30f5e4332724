import type { JobView, Pause } from '../api/types.ts'
import { t } from '../i18n/index.ts'
import { Ago, JobLink, When } from '../parts/basics.tsx'
import { OutcomeBadge } from '../parts/outcome.tsx'
import { Strip } from '../parts/strip.tsx'
import { safe } from '../safe-text.ts'
import { language } from '../settings.ts'
import { span } from '../time.ts'
import { Actions } from './actions.tsx'

export function JobRow({ job, mayAct }: { job: JobView; mayAct: boolean }) {
  return (
    <div role="row" class={job.failing ? 'item bad' : 'item'}>
      <span role="cell" class="name">
        <JobLink name={job.name} />
        <small>
          {[job.group, job.owner]
            .filter((each) => each !== undefined)
            .map(safe)
            .join(' · ')}
        </small>
      </span>
      <span role="cell" class="schedule">
        <Schedule job={job} />
      </span>
      <span role="cell" class="nexttick">
        {job.paused ? <Paused pause={job.paused} zone={job.timezone} /> : <NextTick job={job} />}
      </span>
      <span role="cell" class="recent">
        <Strip recent={job.recent} zone={job.timezone} />
        {job.last && job.failing && <OutcomeBadge state={job.last.outcome} />}
      </span>
      <span role="cell" class="usual num">
        {job.usual !== undefined && span(job.usual)}
      </span>
      <span role="cell" class="acts">
        {mayAct && <Actions job={job} />}
      </span>
    </div>
  )
}

export function Schedule({ job }: { job: JobView }) {
  const words = job.words?.[language.value]
  return (
    <>
      {words && <span>{safe(words)}</span>}
      <small>
        <code>{safe(job.schedule ?? '')}</code> {job.timezone && safe(job.timezone)}
      </small>
    </>
  )
}

function NextTick({ job }: { job: JobView }) {
  if (!job.next) return <span class="faint">–</span>
  return (
    <>
      <Ago at={job.next} zone={job.timezone} />
      <small>
        <When at={job.next} zone={job.timezone} />
      </small>
    </>
  )
}

/** Until when a job is paused, by whom and why. */
export function Paused({ pause, zone }: { pause: Pause; zone?: string | undefined }) {
  return (
    <>
      <span class="badge o-paused">
        <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M5.500 3.500v9M10.500 3.500v9" />
        </svg>
        {t('jobs.paused')}
      </span>
      <small>
        {pause.until ? <Ago at={pause.until} zone={zone} /> : t('pause.open')}
        {pause.by && (
          <>
            {' '}
            · <bdi>{safe(pause.by)}</bdi>
          </>
        )}
        {pause.reason && (
          <>
            {' '}
            · <bdi>{safe(pause.reason)}</bdi>
          </>
        )}
      </small>
    </>
  )
}
