import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { refresh } from '../api/live.ts'
import { t } from '../i18n/index.ts'
import { safe } from '../safe-text.ts'

/** What was done or refused, for a few seconds; a screen reader reads it. */
export const notice = signal<{ text: string; bad: boolean } | undefined>(undefined)
const SHOWN_MS = 6_000
let hide: ReturnType<typeof setTimeout> | undefined

export function tell(text: string, bad = false): void {
  notice.value = { text, bad }
  clearTimeout(hide)
  hide = setTimeout(() => {
    notice.value = undefined
  }, SHOWN_MS)
}

/** Does something, says how it went, and asks for what has changed by it. */
export async function perform(work: Promise<unknown>, done: string): Promise<boolean> {
  try {
    await work
    tell(done)
    return true
  } catch (error) {
    tell(t('error.act', { why: safe(error instanceof Error ? error.message : error) }), true)
    return false
  } finally {
    refresh()
  }
}

/** A modal dialog of the browser: it keeps the focus, and Escape closes it. */
export function Dialog(props: { title: string; close: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => ref.current?.showModal(), [])
  return (
    <dialog ref={ref} onClose={props.close} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        <button type="button" class="quiet" onClick={() => ref.current?.close()} aria-label={t('act.close')}>
          ✕
        </button>
      </header>
      {props.children}
    </dialog>
  )
}

export function Notice() {
  const shown = notice.value
  return (
    <div class="notices" role="status">
      {shown && <p class={shown.bad ? 'bad' : ''}>{shown.text}</p>}
    </div>
  )
}

/** Why it is done; the audit keeps it. */
export function Reason({ value, set }: { value: string; set: (value: string) => void }) {
  return (
    <label>
      <span>{t('pause.reason')}</span>
      <input value={value} maxLength={500} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  )
}
