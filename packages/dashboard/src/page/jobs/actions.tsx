import { useState } from 'preact/hooks'
import { act, segment } from '../api/client.ts'
import type { JobView } from '../api/types.ts'
import { t } from '../i18n/index.ts'
import { Dialog, perform, Reason } from '../parts/dialog.tsx'
import { safe } from '../safe-text.ts'
import { RunDialog } from './run-dialog.tsx'

/** Run now, pause, resume. */
export function Actions({ job }: { job: JobView }) {
  const [open, setOpen] = useState<'run' | 'pause' | undefined>(undefined)
  const close = () => setOpen(undefined)
  const resume = () => void perform(act('DELETE', `jobs/${segment(job.name)}/pause`), t('done.resume'))
  const label = (text: string) => `${text}: ${safe(job.name)}`
  return (
    <>
      <button type="button" onClick={() => setOpen('run')} aria-label={label(t('act.run'))}>
        {t('act.run')}
      </button>
      {job.paused ? (
        <button type="button" onClick={resume} aria-label={label(t('act.resume'))}>
          {t('act.resume')}
        </button>
      ) : (
        <button type="button" onClick={() => setOpen('pause')} aria-label={label(t('act.pause'))}>
          {t('act.pause')}
        </button>
      )}
      {open === 'run' && <RunDialog name={job.name} close={close} />}
      {open === 'pause' && <PauseDialog name={job.name} close={close} />}
    </>
  )
}

const HOUR_MS = 3_600_000

/** Pauses a job; without a name all of them. */
export function PauseDialog({ name, close }: { name: string | undefined; close: () => void }) {
  const [reason, setReason] = useState('')
  const pause = async (until: Date | undefined) => {
    const body = { ...(reason === '' ? {} : { reason }), ...(until ? { until: until.toISOString() } : {}) }
    const path = name === undefined ? 'pause' : `jobs/${segment(name)}/pause`
    if (await perform(act('POST', path, body), t('done.pause'))) close()
  }
  return (
    <Dialog title={name === undefined ? t('pause.all') : t('pause.title', { job: safe(name) })} close={close}>
      <form onSubmit={(event) => event.preventDefault()}>
        <Reason value={reason} set={setReason} />
        <div class="buttons">
          <button type="button" onClick={() => void pause(new Date(Date.now() + HOUR_MS))}>
            {t('pause.hour')}
          </button>
          <button type="button" onClick={() => void pause(tomorrow())}>
            {t('pause.tomorrow')}
          </button>
          <button type="button" onClick={() => void pause(undefined)}>
            {t('pause.open')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** Midnight of the reader's next day. */
function tomorrow(): Date {
  const today = new Date()
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1)
}
