import { segment } from '../api/client.ts'
import type { Counts, JobView, Page, Upcoming } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t, word } from '../i18n/index.ts'
import { isBad } from '../parts/outcome.tsx'
import { day, month } from '../time.ts'

const DAY_MS = 86_400_000
const CELL = 13
const TOP = 16
const PAST_DAYS = 273
const COMING_DAYS = 91

/** One square a day of UTC, a column a week: nine months back, three to come. Failures are red and carry a dot. */
export function Year({ job, days }: { job: JobView; days: readonly Counts[] }) {
  const today = Math.floor(Date.now() / DAY_MS)
  const coming = useComing(job, today)
  const known = new Map(days.map((each) => [each.at.slice(0, 10), each]))
  const most = Math.max(1, ...days.map((each) => each.runs))
  const first = today - PAST_DAYS - new Date((today - PAST_DAYS) * DAY_MS).getUTCDay()
  const cells = Array.from({ length: today + COMING_DAYS - first + 1 }, (_, i) => first + i)
  const weeks = Math.ceil(cells.length / 7)
  return (
    <div class="year" tabIndex={0} role="region" aria-label={t('job.year')}>
      <svg viewBox={`0 0 ${weeks * CELL} ${TOP + 7 * CELL}`} role="img" aria-label={t('job.year.label')}>
        {cells.map((at, i) => {
          const place = [Math.floor(i / 7) * CELL, TOP + (i % 7) * CELL] as const
          const date = new Date(at * DAY_MS).toISOString().slice(0, 10)
          return (
            <g key={at} class={at === today ? 'today' : ''}>
              {at <= today && <Day at={at * DAY_MS} counts={known.get(date)} most={most} place={place} />}
              {at > today && <Coming at={at * DAY_MS} ticks={coming.get(date) ?? 0} place={place} />}
              {date.endsWith('-01') && (
                <text x={place[0] + 1} y={10}>
                  {month(at * DAY_MS)}
                </text>
              )}
            </g>
          )
        })}
      </svg>
    </div>
  )
}

/** How many ticks each day to come has, as far as the answer reaches. */
function useComing(job: JobView, today: number): ReadonlyMap<string, number> {
  const until = new Date((today + COMING_DAYS + 1) * DAY_MS).toISOString()
  const ticks = useData<Page<Upcoming>>(`jobs/${segment(job.name)}/upcoming?limit=500&until=${until}`)
  const items = ticks.data?.items ?? []
  const found = new Map<string, number>()
  for (const { at } of items) found.set(at.slice(0, 10), (found.get(at.slice(0, 10)) ?? 0) + 1)
  const last = items.at(-1)?.at.slice(0, 10)
  // A job of minutes has more ticks than the answer: its days to come are like those before.
  const usual = Math.max(0, ...found.values())
  if (items.length >= 500 && last !== undefined)
    for (let at = Date.parse(last); at <= Date.parse(until); at += DAY_MS)
      found.set(new Date(at).toISOString().slice(0, 10), usual)
  return found
}

type Place = readonly [x: number, y: number]

function Coming({ at, ticks, place: [x, y] }: { at: number; ticks: number; place: Place }) {
  return (
    <rect
      x={x + 1.5}
      y={y + 1.5}
      width={CELL - 3}
      height={CELL - 3}
      rx={3}
      class={ticks > 0 ? 'coming' : 'free'}
    >
      <title>{`${day(at, 'UTC')}${ticks > 0 ? ` · ${t('job.coming', { n: ticks })}` : ''}`}</title>
    </rect>
  )
}

interface DayProps {
  readonly at: number
  readonly counts: Counts | undefined
  readonly most: number
  readonly place: Place
}

function Day({ at, counts, most, place: [x, y] }: DayProps) {
  const outcomes = Object.entries(counts?.outcomes ?? {}).filter(([, n]) => n)
  const bad = outcomes.some(([outcome]) => isBad(outcome))
  const shade =
    counts === undefined || counts.runs === 0 ? 0 : 1 + Math.round(3 * Math.sqrt(counts.runs / most))
  const list = outcomes.map(([outcome, n]) => `${word('outcome', outcome)} ${n}`).join(', ')
  return (
    <>
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
    </>
  )
}
