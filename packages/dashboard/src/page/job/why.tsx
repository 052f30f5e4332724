import { useState } from 'preact/hooks'
import { get, segment } from '../api/client.ts'
import type { Explanation, JobView } from '../api/types.ts'
import { t } from '../i18n/index.ts'
import { Section } from '../parts/basics.tsx'
import { href } from '../router.ts'
import { safe } from '../safe-text.ts'
import { zoneLabel } from '../time.ts'

/** "Why did it (not) run at …?": the instant is read in the reader's own zone. */
export function Why({ job }: { job: JobView }) {
  const [at, setAt] = useState('')
  const [found, setFound] = useState<Explanation | { problem: string } | undefined>(undefined)
  const ask = async (given: string) => {
    setAt(given)
    const instant = new Date(given)
    if (Number.isNaN(instant.getTime())) return
    try {
      const path = `jobs/${segment(job.name)}/explain?at=${encodeURIComponent(instant.toISOString())}`
      setFound(await get<Explanation>(path))
    } catch (error) {
      setFound({ problem: error instanceof Error ? error.message : String(error) })
    }
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || zoneLabel()
  return (
    <Section title={t('job.why')} side={<span class="zone">{zone}</span>}>
      <Question at={at} setAt={setAt} ask={(given) => void ask(given)} />
      <div role="status">{found && <Answer found={found} />}</div>
    </Section>
  )
}

interface QuestionProps {
  readonly at: string
  readonly setAt: (at: string) => void
  readonly ask: (at: string) => void
}

function Question({ at, setAt, ask }: QuestionProps) {
  const submit = (event: Event) => {
    event.preventDefault()
    ask(at)
  }
  const sunday = new Date().getDay() || 7
  return (
    <form class="ask" onSubmit={submit}>
      <label>
        <span class="hidden">{t('job.why.at')}</span>
        <input
          type="datetime-local"
          step={1}
          required
          value={at}
          onInput={(e) => setAt(e.currentTarget.value)}
        />
      </label>
      <button type="submit">{t('job.why.ask')}</button>
      <button type="button" class="quiet" onClick={() => ask(atThree(0))}>
        {t('job.why.night')}
      </button>
      <button type="button" class="quiet" onClick={() => ask(atThree(sunday))}>
        {t('job.why.sunday')}
      </button>
    </form>
  )
}

function Answer({ found }: { found: Explanation | { problem: string } }) {
  if ('problem' in found) return <p class="empty trouble">{safe(found.problem)}</p>
  return (
    <div class="answer">
      <p>
        <b>{safe(found.answer)}</b>
      </p>
      <ul>
        {found.reasons.map((reason, i) => (
          <li key={i}>
            {reason.run ? <a href={href(['runs', reason.run])}>{safe(reason.text)}</a> : safe(reason.text)}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** 03:00 of some days ago in the reader's zone, as the input writes it. */
function atThree(days: number): string {
  const at = new Date()
  at.setDate(at.getDate() - days)
  const two = (part: number) => String(part).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T03:00`
}
