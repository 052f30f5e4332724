import { useState } from 'preact/hooks'
import { act, segment } from '../api/client.ts'
import type { JobDetail } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t } from '../i18n/index.ts'
import { Choice } from '../parts/choice.tsx'
import { Dialog, perform, Reason, tell } from '../parts/dialog.tsx'
import { safe } from '../safe-text.ts'
import { type Field, fieldsOf, startOf } from './schema-fields.ts'
import { SchemaForm } from './schema-form.tsx'

/** Asks for a run: by a form when the job's schema can be one, else by JSON. */
export function RunDialog({ name, close }: { name: string; close: () => void }) {
  const job = useData<JobDetail>(`jobs/${segment(name)}`)
  const fields = fieldsOf(job.data?.inputSchema)
  return (
    <Dialog title={t('run.title', { job: safe(name) })} close={close}>
      {job.loading ? (
        <p aria-busy="true">{t('loading')}</p>
      ) : (
        <Ask name={name} fields={fields} close={close} />
      )}
    </Dialog>
  )
}

interface AskProps {
  readonly name: string
  readonly fields: readonly Field[] | undefined
  readonly close: () => void
}

function Ask({ name, fields, close }: AskProps) {
  const [values, setValues] = useState(() => startOf(fields ?? []))
  const [json, setJson] = useState('')
  const [by, setBy] = useState<'form' | 'json'>(fields ? 'form' : 'json')
  const [reason, setReason] = useState('')
  const change = (next: 'form' | 'json') => {
    if (next === 'json') setJson(JSON.stringify(values, undefined, 2))
    setBy(next)
  }
  const send = async (event: Event) => {
    event.preventDefault()
    const given = by === 'form' ? { data: values } : dataOf(json)
    if (!given) return tell(t('run.data.bad'), true)
    const query = reason === '' ? '' : `?${new URLSearchParams({ reason })}`
    if (await perform(act('POST', `jobs/${segment(name)}/runs${query}`, given.data), t('done.run'))) close()
  }
  return (
    <form onSubmit={send}>
      {fields && <Choice label={t('run.data.shown')} value={by} set={change} options={ways()} />}
      {fields && by === 'form' ? (
        <SchemaForm fields={fields} values={values} set={setValues} />
      ) : (
        <Json value={json} set={setJson} />
      )}
      <Reason value={reason} set={setReason} />
      <div class="buttons">
        <button type="submit" class="main">
          {t('act.run')}
        </button>
      </div>
    </form>
  )
}

const ways = () =>
  [
    ['form', t('run.form')],
    ['json', t('run.json')],
  ] as const

function Json({ value, set }: { value: string; set: (value: string) => void }) {
  return (
    <label>
      <span>{t('run.data')}</span>
      <textarea rows={6} spellcheck={false} value={value} onInput={(e) => set(e.currentTarget.value)} />
    </label>
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
