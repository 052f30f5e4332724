import { useState } from 'preact/hooks'
import { act, segment } from '../api/client.ts'
import type { JobView } from '../api/types.ts'
import { t } from '../i18n/index.ts'
import { Dialog, perform, tell } from '../parts/dialog.tsx'
import { safe } from '../safe-text.ts'

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

function RunDialog({ name, close }: { name: string; close: () => void }) {
  const [data, setData] = useState('')
  const [reason, setReason] = useState('')
  const send = async (event: Event) => {
    event.preventDefault()
    const given = dataOf(data)
    if (!given) return tell(t('run.data.bad'), true)
    const query = reason === '' ? '' : `?${new URLSearchParams({ reason })}`
    if (await perform(act('POST', `jobs/${segment(name)}/runs${query}`, given.data), t('done.run'))) close()
  }
  return (
    <Dialog title={t('run.title', { job: safe(name) })} close={close}>
      <form onSubmit={send}>
        <label>
          <span>{t('run.data')}</span>
          <textarea
            rows={5}
            spellcheck={false}
            value={data}
            onInput={(e) => setData(e.currentTarget.value)}
          />
        </label>
        <Reason value={reason} set={setReason} />
        <div class="buttons">
          <button type="submit" class="main">
            {t('act.run')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** The data as it was typed; undefined when it is no JSON. */
function dataOf(text: string): { readonly data: unknown } | undefined {
  try {
    return { data: text.trim() === '' ? undefined : (JSON.parse(text) as unknown) }
  } catch {
    return undefined
  }
}

const HOUR_MS = 3_600_000

function PauseDialog({ name, close }: { name: string; close: () => void }) {
  const [reason, setReason] = useState('')
  const pause = async (until: Date | undefined) => {
    const body = { ...(reason === '' ? {} : { reason }), ...(until ? { until: until.toISOString() } : {}) }
    if (await perform(act('POST', `jobs/${segment(name)}/pause`, body), t('done.pause'))) close()
  }
  return (
    <Dialog title={t('pause.title', { job: safe(name) })} close={close}>
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

function Reason({ value, set }: { value: string; set: (value: string) => void }) {
  return (
    <label>
      <span>{t('pause.reason')}</span>
      <input value={value} maxLength={500} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  )
}
