import { useState } from 'preact/hooks'
import { act } from '../api/client.ts'
import type { JobView, Overview } from '../api/types.ts'
import { number, t } from '../i18n/index.ts'
import { PauseDialog } from '../jobs/actions.tsx'
import { Paused } from '../jobs/job-row.tsx'
import { perform } from '../parts/dialog.tsx'

/** The sentence that answers whether the night went well. */
export function verdict(jobs: readonly JobView[]): { text: string; bad: boolean } {
  if (jobs.length === 0) return { text: t('verdict.empty'), bad: false }
  const failing = jobs.filter((job) => job.failing).length
  const overdue = jobs.filter((job) => job.overdue).length
  if (failing === 0 && overdue === 0) return { text: t('verdict.well'), bad: false }
  const parts: string[] = []
  if (failing > 0) parts.push(failing === 1 ? t('verdict.failing.one') : t('verdict.failing', { n: failing }))
  if (overdue > 0 && failing > 0) {
    parts.push(overdue === 1 ? t('verdict.overdue.one') : t('verdict.overdue', { n: overdue }))
  } else if (overdue > 0) {
    parts.push(overdue === 1 ? t('verdict.overdue.only.one') : t('verdict.overdue.only', { n: overdue }))
  }
  return { text: parts.join(', '), bad: true }
}

export function Verdict({ jobs, overview }: { jobs: readonly JobView[]; overview: Overview | undefined }) {
  const { text, bad } = verdict(jobs)
  const [asked, setAsked] = useState(false)
  const paused = overview?.paused
  const resume = () => void perform(act('DELETE', 'pause'), t('done.resume'))
  const runs = Object.entries(overview?.today ?? {})
    .filter(([outcome]) => outcome !== 'skipped' && outcome !== 'missed')
    .reduce((sum, [, count]) => sum + (count ?? 0), 0)
  const counts = t('verdict.counts', { jobs: number(jobs.length), runs: number(runs) })
  return (
    <div class={`verdict ${bad ? 'bad' : 'well'}`}>
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <circle cx="16" cy="16" r="14" />
        <path d={bad ? 'M16 8.500v9.500M16 22.500v.6' : 'M9.500 16.500l4.500 4.500 8.500-9.500'} />
      </svg>
      <div>
        <h1>{text}</h1>
        <p>
          {jobs.length === 0 ? t('verdict.empty.how') : counts}
          {overview?.role === 'operator' && jobs.length > 0 && (
            <button type="button" class="link" onClick={paused ? resume : () => setAsked(true)}>
              {t(paused ? 'pause.all.resume' : 'pause.all')}
            </button>
          )}
        </p>
        {paused && (
          <p class="pausedline">
            <b>{t('verdict.paused')}</b> <Paused pause={paused} />
          </p>
        )}
      </div>
      {asked && <PauseDialog name={undefined} close={() => setAsked(false)} />}
      {overview && jobs.length > 0 && <Today overview={overview} />}
    </div>
  )
}

function Today({ overview }: { overview: Overview }) {
  const { today } = overview
  const bad =
    (today.failed ?? 0) + (today['timed-out'] ?? 0) + (today['lease-lost'] ?? 0) + (today.abandoned ?? 0)
  const cells = [
    ['outcome.succeeded', today.succeeded ?? 0, 'o-succeeded'],
    ['outcome.failed', bad, bad > 0 ? 'o-failed' : 'zero'],
    ['outcome.missed', today.missed ?? 0, today.missed ? 'o-missed' : 'zero'],
    ['outcome.skipped', today.skipped ?? 0, 'zero'],
  ] as const
  return (
    <dl class="today">
      {cells.map(([key, count, tone]) => (
        <div key={key} class={tone}>
          <dd>{number(count)}</dd>
          <dt>{t(key)}</dt>
        </div>
      ))}
    </dl>
  )
}
