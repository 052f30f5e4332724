import { t } from '../i18n/index.ts'
import { safe } from '../safe-text.ts'

/** Data as a tree that can be folded; what was left out is reported. */
export function Tree({ value, cut }: { value: unknown; cut: string | undefined }) {
  if (cut) return <p class="empty">{safe(cut)}</p>
  if (value === undefined || value === null) return <p class="empty">{t('run.nothing')}</p>
  return (
    <div class="tree">
      <Node value={value} depth={0} />
    </div>
  )
}

const MOST_CHILDREN = 200

function Node({ name, value, depth }: { name?: string; value: unknown; depth: number }) {
  const label = name === undefined ? null : <span class="key">{safe(name)}: </span>
  if (typeof value !== 'object' || value === null) {
    return (
      <div>
        {label}
        <span class={`v-${typeof value}`}>{safe(JSON.stringify(value))}</span>
      </div>
    )
  }
  const entries = Object.entries(value)
  const hint = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`
  return (
    <details open={depth < 2}>
      <summary>
        {label}
        <span class="faint">{hint}</span>
      </summary>
      {entries.slice(0, MOST_CHILDREN).map(([key, child]) => (
        <Node key={key} name={key} value={child} depth={depth + 1} />
      ))}
      {entries.length > MOST_CHILDREN && <div class="faint">… {entries.length - MOST_CHILDREN}</div>}
    </details>
  )
}
