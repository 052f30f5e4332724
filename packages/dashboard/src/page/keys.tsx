import { signal } from '@preact/signals'
import { t } from './i18n/index.ts'
import { Dialog } from './parts/dialog.tsx'
import { go } from './router.ts'

const helpShown = signal(false)
const PAGES: Readonly<Record<string, string>> = {
  o: '',
  j: 'jobs',
  r: 'runs',
  i: 'incidents',
  n: 'instances',
  a: 'audit',
}
const SECOND_KEY_MS = 1_500
let wentAt = Number.NEGATIVE_INFINITY

export function listenToKeys(): void {
  addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (target.closest('input, textarea, select, dialog')) return
    if (press(event.key, event.timeStamp)) event.preventDefault()
  })
}

function press(key: string, at: number): boolean {
  const page = PAGES[key]
  if (page !== undefined && at - wentAt < SECOND_KEY_MS) {
    wentAt = Number.NEGATIVE_INFINITY
    go(page === '' ? [] : [page])
    return true
  }
  if (key === 'g') wentAt = at
  else if (key === 'j' || key === 'k') move(key === 'j' ? 1 : -1)
  else if (key === '/') document.querySelector<HTMLElement>('input[type=search]')?.focus()
  else if (key === '?') helpShown.value = true
  else return false
  return true
}

/** Moves the focus along the rows of the first list on the page. */
function move(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main a.job, main a.row')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))]
  next?.focus()
}

export function Keys() {
  if (!helpShown.value) return null
  const rows = [
    ['/', t('keys.search')],
    ['j k', t('keys.move')],
    ['g o, g j, g r, g i, g n, g a', t('keys.go')],
    ['?', t('keys.help')],
    ['Esc', t('keys.close')],
  ] as const
  return (
    <Dialog
      title={t('keys.title')}
      close={() => {
        helpShown.value = false
      }}
    >
      <dl class="keys">
        {rows.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
