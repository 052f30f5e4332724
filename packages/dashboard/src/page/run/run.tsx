import { act, segment } from '../api/client.ts'
import { now } from '../api/live.ts'
import type { RunView } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t } from '../i18n/index.ts'
import { Ago, JobLink, Pending, Section } from '../parts/basics.tsx'
import { perform } from '../parts/dialog.tsx'
import { OutcomeBadge } from '../parts/outcome.tsx'
import { safe } from '../safe-text.ts'
import { span } from '../time.ts'
import { Errors } from './errors.tsx'
import { Facts } from './facts.tsx'
import { Log } from './log.tsx'
import { Tree } from './tree.tsx'

export function RunPage({ id, mayAct }: { id: string; mayAct: boolean }) {
  const found = useData<RunView>(`runs/${segment(id)}`)
  const run = found.data
  if (!run) return <Pending of={found} />
  const ended = run.outcome !== undefined
  return (
    <>
      <div class="title">
        <h1>
          <JobLink name={run.job} />
        </h1>
        <OutcomeBadge state={run.state} />
        <span class="faint">
          <Ago at={run.startedAt ?? run.scheduledAt} /> · {took(run)}
        </span>
        <span class="grow" />
        {mayAct && <RunActions run={run} ended={ended} />}
      </div>
      {run.progress && !ended && <Progress run={run} />}
      <Errors run={run} />
      <div class="columns wide">
        <Log run={run} />
        <Facts run={run} />
      </div>
      <div class="columns">
        <Section title={t('run.data.shown')}>
          <Tree value={run.data} cut={run.cut?.data} />
        </Section>
        <Section title={t('run.result')}>
          <Tree value={run.result} cut={run.cut?.result} />
        </Section>
      </div>
    </>
  )
}

function took(run: RunView): string {
  if (run.duration !== undefined) return span(run.duration)
  if (run.startedAt === undefined || run.endedAt) return ''
  return t('run.elapsed', { span: span(Math.max(0, now.value - Date.parse(run.startedAt))) })
}

function RunActions({ run, ended }: { run: RunView; ended: boolean }) {
  const path = `runs/${segment(run.id)}`
  const cancel = () => void perform(act('POST', `${path}/cancel`, {}), t('done.cancel'))
  const retry = () => void perform(act('POST', `${path}/retry`, {}), t('done.run'))
  return ended ? (
    <button type="button" class="main" onClick={retry}>
      {t('act.retry')}
    </button>
  ) : (
    <button type="button" class="danger" onClick={cancel}>
      {t('act.cancel')}
    </button>
  )
}

function Progress({ run }: { run: RunView }) {
  const percent = Math.round((run.progress?.fraction ?? 0) * 100)
  return (
    <div class="progress card">
      <progress max={100} value={percent} aria-label={t('run.progress')} />
      <b class="num">{percent} %</b>
      <bdi>{safe(run.progress?.note ?? '')}</bdi>
    </div>
  )
}
