import { useEffect, useRef, useState } from 'preact/hooks'
import { segment } from '../api/client.ts'
import type { LogLine, Page, RunView } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t } from '../i18n/index.ts'
import { Empty, Pending, Section } from '../parts/basics.tsx'
import { Search, Select } from '../parts/choice.tsx'
import { safe } from '../safe-text.ts'
import { clock, zoneFor } from '../time.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export function Log({ run }: { run: RunView }) {
  const lines = useData<Page<LogLine>>(`runs/${segment(run.id)}/logs`)
  const [text, setText] = useState('')
  const [level, setLevel] = useState('debug')
  const [follow, setFollow] = useState(run.outcome === undefined)
  const all = lines.data?.items ?? []
  const least = LEVELS.indexOf(level as LogLine['level'])
  const shown = all.filter((line) => LEVELS.indexOf(line.level) >= least && has(line, text.toLowerCase()))
  const side = all.length > 0 && (
    <div class="tools">
      <Search label={t('run.log.search')} value={text} set={setText} />
      <Select
        label={t('run.log.level')}
        value={level}
        set={setLevel}
        options={LEVELS.map((each) => [each, each])}
      />
      {run.outcome === undefined && (
        <label class="check">
          <input
            type="checkbox"
            checked={follow}
            onChange={(event) => setFollow(event.currentTarget.checked)}
          />
          {t('run.log.follow')}
        </label>
      )}
    </div>
  )
  return (
    <Section title={t('run.log')} side={side} class="logcard">
      <Pending of={lines} />
      {lines.data && shown.length === 0 && <Empty>{t('run.log.none')}</Empty>}
      {shown.length > 0 && <Lines lines={shown} follow={follow && run.outcome === undefined} />}
      {run.cut?.log && <p class="help">{safe(run.cut.log)}</p>}
    </Section>
  )
}

const has = (line: LogLine, text: string) =>
  text === '' ||
  `${line.message} ${line.fields ? JSON.stringify(line.fields) : ''}`.toLowerCase().includes(text)

function Lines({ lines, follow }: { lines: readonly LogLine[]; follow: boolean }) {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (follow && ref.current) ref.current.scrollTop = ref.current.scrollHeight
  }, [lines.length, follow])
  return (
    <div
      class="log"
      ref={ref}
      tabIndex={0}
      role="log"
      aria-label={t('run.log')}
      aria-live={follow ? 'polite' : 'off'}
    >
      {lines.map((line, i) => (
        <div key={i} class={`line l-${line.level}`}>
          <time dateTime={line.at}>{clock(line.at, zoneFor(), true)}</time>
          <span class="level">{line.level}</span>
          <span class="text">
            {safe(line.message)}
            {line.fields && <span class="fields">{fieldsOf(line.fields)}</span>}
          </span>
        </div>
      ))}
    </div>
  )
}

function fieldsOf(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(
      ([name, value]) => ` ${safe(name)}=${safe(typeof value === 'string' ? value : JSON.stringify(value))}`,
    )
    .join('')
}
