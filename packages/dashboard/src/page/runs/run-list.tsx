import { now } from '../api/live.ts'
import type { RunView } from '../api/types.ts'
import { t, word } from '../i18n/index.ts'
import { Ago, When } from '../parts/basics.tsx'
import { OutcomeBadge } from '../parts/outcome.tsx'
import { href } from '../router.ts'
import { safe } from '../safe-text.ts'
import { span } from '../time.ts'

export function RunList({ runs }: { runs: readonly RunView[] }) {
  const longest = Math.max(1, ...runs.map((run) => run.duration ?? 0))
  return (
    <div class="card list runs" role="table" aria-label={t('nav.runs')}>
      <div role="row" class="head">
        {(['col.state', 'col.job', 'col.started', 'col.took', 'col.cause', 'col.instance'] as const).map(
          (key) => (
            <span key={key} role="columnheader">
              {t(key)}
            </span>
          ),
        )}
      </div>
      {runs.map((run) => (
        <RunRow key={run.id} run={run} longest={longest} />
      ))}
    </div>
  )
}

function RunRow({ run, longest }: { run: RunView; longest: number }) {
  const at = run.startedAt ?? run.scheduledAt
  return (
    <div role="row" class="item">
      <span role="cell">
        <OutcomeBadge state={run.state} />
      </span>
      <span role="cell" class="name">
        <a class="row" href={href(['runs', run.id])}>
          <bdi>{safe(run.job)}</bdi>
        </a>
        <small class="error">
          <bdi>{noteOf(run)}</bdi>
        </small>
      </span>
      <span role="cell">
        <Ago at={at} />
        <small>
          <When at={at} />
        </small>
      </span>
      <span role="cell" class="took num">
        <Took run={run} longest={longest} />
      </span>
      <span role="cell" class="cause">
        {word('cause', run.cause)}
        {run.attempt > 1 && ` · ${t('run.attempt', { n: run.attempt })}`}
      </span>
      <span role="cell" class="instance">
        <bdi>{safe(run.instance)}</bdi>
      </span>
    </div>
  )
}

function noteOf(run: RunView): string {
  if (run.reason)
    return word('reason', run.reason) + (run.count ? ` · ${t('runs.skips', { n: run.count })}` : '')
  return run.error ? (safe(run.error.message).split('\n')[0]?.slice(0, 200) ?? '') : ''
}

function Took({ run, longest }: { run: RunView; longest: number }) {
  const under = run.endedAt === undefined && run.startedAt !== undefined
  const ms = under ? Math.max(0, now.value - Date.parse(run.startedAt)) : run.duration
  if (ms === undefined) return <>–</>
  return (
    <>
      {span(ms)}
      <i aria-hidden="true" style={{ width: `${Math.round(100 * Math.sqrt(Math.min(1, ms / longest)))}%` }} />
    </>
  )
}
