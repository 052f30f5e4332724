import type { Counts } from '../api/types.ts'
import { t, word } from '../i18n/index.ts'
import { isBad } from '../parts/outcome.tsx'
import { day } from '../time.ts'

const DAY_MS = 86_400_000
const CELL = 13

/** One square a day of UTC, a column a week; failures are red and carry a dot. */
export function Year({ days }: { days: readonly Counts[] }) {
  const known = new Map(days.map((each) => [each.at.slice(0, 10), each]))
  const most = Math.max(1, ...days.map((each) => each.runs))
  const today = Math.floor(Date.now() / DAY_MS)
  const first = today - 364 - new Date((today - 364) * DAY_MS).getUTCDay()
  const cells = Array.from({ length: today - first + 1 }, (_, i) => (first + i) * DAY_MS)
  const weeks = Math.ceil(cells.length / 7)
  return (
    <div class="year" tabIndex={0} role="region" aria-label={t('job.year')}>
      <svg viewBox={`0 0 ${weeks * CELL} ${7 * CELL}`} role="img" aria-label={t('job.year.label')}>
        {cells.map((at, i) => (
          <Day
            key={at}
            at={at}
            counts={known.get(new Date(at).toISOString().slice(0, 10))}
            most={most}
            place={[Math.floor(i / 7) * CELL, (i % 7) * CELL]}
          />
        ))}
      </svg>
    </div>
  )
}

interface DayProps {
  readonly at: number
  readonly counts: Counts | undefined
  readonly most: number
  readonly place: readonly [number, number]
}

function Day({ at, counts, most, place: [x, y] }: DayProps) {
  const outcomes = Object.entries(counts?.outcomes ?? {}).filter(([, n]) => n)
  const bad = outcomes.some(([outcome]) => isBad(outcome))
  const shade =
    counts === undefined || counts.runs === 0 ? 0 : 1 + Math.round(3 * Math.sqrt(counts.runs / most))
  const list = outcomes.map(([outcome, n]) => `${word('outcome', outcome)} ${n}`).join(', ')
  return (
    <g>
      <rect
        x={x + 1}
        y={y + 1}
        width={CELL - 2}
        height={CELL - 2}
        rx={3}
        class={bad ? 'bad' : `shade${shade}`}
      >
        <title>{`${day(at, 'UTC')}${list && ` · ${list}`}`}</title>
      </rect>
      {bad && <circle cx={x + CELL / 2} cy={y + CELL / 2} r={1.8} />}
    </g>
  )
}
