import type { RunView, Trouble } from '../api/types.ts'
import { t } from '../i18n/index.ts'
import { Section } from '../parts/basics.tsx'
import { safe } from '../safe-text.ts'

/** The error of each failed attempt; the last one is open. */
export function Errors({ run }: { run: RunView }) {
  const errors = run.errors.length > 0 ? run.errors : run.error ? [run.error] : []
  if (errors.length === 0) return null
  const first = Math.max(1, run.attempt - errors.length + (run.outcome === 'succeeded' ? 0 : 1))
  const found = together(errors)
  return (
    <Section title={t('run.errors')} class="errors">
      <ol>
        {found.map(({ error, from, to }, i) => (
          <li key={from}>
            <ErrorView error={error} attempts={[first + from, first + to]} open={i === found.length - 1} />
          </li>
        ))}
      </ol>
    </Section>
  )
}

interface Met {
  readonly error: Trouble
  from: number
  to: number
}

/** Attempts in a row that failed in the same way are shown once. */
function together(errors: readonly Trouble[]): readonly Met[] {
  const found: Met[] = []
  const key = ({ stack: _, ...rest }: Trouble) => JSON.stringify(rest)
  for (const [at, error] of errors.entries()) {
    const before = found.at(-1)
    if (before && key(before.error) === key(error)) before.to = at
    else found.push({ error, from: at, to: at })
  }
  return found
}

interface ErrorProps {
  readonly error: Trouble
  readonly attempts: readonly [number, number]
  readonly open: boolean
}

function ErrorView({ error, attempts: [from, to], open }: ErrorProps) {
  const attempts = from === to ? t('run.attempt', { n: from }) : t('run.attempt.many', { n: `${from}–${to}` })
  return (
    <>
      <p>
        <span class="faint">{attempts}</span> <Named error={error} />
      </p>
      <pre class="message">{safe(error.message)}</pre>
      <Causes of={error} />
      <Stack of={error} open={open} />
    </>
  )
}

function Named({ error }: { error: Trouble }) {
  return (
    <>
      <b>{safe(error.name)}</b> {error.code && <code>{safe(error.code)}</code>}
    </>
  )
}

/** What lies behind an error, each cause under what it caused. */
function Causes({ of: { causes = [] } }: { of: Trouble }) {
  if (causes.length === 0) return null
  return (
    <ul class="causes">
      {causes.map((cause, i) => (
        <li key={i}>
          <span class="faint">{t('run.cause')}</span> <Named error={cause} />
          <pre class="message">{safe(cause.message)}</pre>
          <Causes of={cause} />
        </li>
      ))}
    </ul>
  )
}

function Stack({ of: error, open }: { of: Trouble; open: boolean }) {
  const stack = error.stack === undefined ? '' : safe(error.stack)
  if (stack === '') return null
  return (
    <details open={open && stack.length < 900}>
      <summary>{t('run.stack')}</summary>
      <pre class="stack" tabIndex={0}>
        {stack.split('\n').map((line, i) => (
          <span key={i} class={/node_modules|\(node:/.test(line) ? 'faint' : ''}>{`${line}\n`}</span>
        ))}
      </pre>
    </details>
  )
}
