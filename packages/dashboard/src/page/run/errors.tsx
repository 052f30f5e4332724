import type { RunView, Trouble } from '../api/types.ts'
import { t } from '../i18n/index.ts'
import { Section } from '../parts/basics.tsx'
import { safe } from '../safe-text.ts'

/** The error of each failed attempt; the last one is open. */
export function Errors({ run }: { run: RunView }) {
  const errors = run.errors.length > 0 ? run.errors : run.error ? [run.error] : []
  if (errors.length === 0) return null
  const first = Math.max(1, run.attempt - errors.length + (run.outcome === 'succeeded' ? 0 : 1))
  return (
    <Section title={t('run.errors')} class="errors">
      <ol>
        {errors.map((error, i) => (
          <li key={i}>
            <ErrorView error={error} attempt={first + i} open={i === errors.length - 1} />
          </li>
        ))}
      </ol>
    </Section>
  )
}

function ErrorView({ error, attempt, open }: { error: Trouble; attempt: number; open: boolean }) {
  const stack = error.stack === undefined ? '' : safe(error.stack)
  return (
    <>
      <p>
        <span class="faint">{t('run.attempt', { n: attempt })}</span> <b>{safe(error.name)}</b>{' '}
        {error.code && <code>{safe(error.code)}</code>}
      </p>
      <pre class="message">{safe(error.message)}</pre>
      {stack !== '' && (
        <details open={open && stack.length < 900}>
          <summary>{t('run.stack')}</summary>
          <pre class="stack">
            {stack.split('\n').map((line, i) => (
              <span key={i} class={/node_modules|\(node:/.test(line) ? 'faint' : ''}>{`${line}\n`}</span>
            ))}
          </pre>
        </details>
      )}
    </>
  )
}
