import type { Counts } from '../api/types.ts'
import { t } from '../i18n/index.ts'
import { Empty } from '../parts/basics.tsx'
import { span } from '../time.ts'

/** Classes of the scale that make one bar: 1.1 to the power of 4 is about one and a half. */
const TOGETHER = 4
const WIDTH = 560
const HEIGHT = 150

/** How long runs took, or how late they began, on a scale of equal factors. */
export function Distribution({ days, of }: { days: readonly Counts[]; of: 'durations' | 'lateness' }) {
  const bars = new Map<number, number>()
  for (const day of days.slice(-30)) {
    for (const [name, count] of Object.entries(day[of])) {
      const bar = Math.floor(Number(name) / TOGETHER)
      bars.set(bar, (bars.get(bar) ?? 0) + count)
    }
  }
  if (bars.size === 0) return <Empty>{t('job.none')}</Empty>
  const first = Math.min(...bars.keys()) - 1
  const last = Math.max(...bars.keys()) + 1
  const most = Math.max(...bars.values())
  const step = WIDTH / (last - first + 1)
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  const every = Math.ceil(all.length / 7)
  const label = all
    .filter((bar) => bars.has(bar))
    .map((bar) => `≤ ${span(1.1 ** ((bar + 1) * TOGETHER))}: ${bars.get(bar)}`)
    .join(', ')
  return (
    <svg class="durations" viewBox={`0 0 ${WIDTH} ${HEIGHT + 24}`} role="img" aria-label={label}>
      <path d={`M0 ${HEIGHT + 0.5}H${WIDTH}`} />
      {all.map((bar, i) => {
        const height = ((bars.get(bar) ?? 0) / most) * (HEIGHT - 10)
        return (
          <g key={bar}>
            <rect x={i * step + 2} y={HEIGHT - height} width={Math.min(56, step - 4)} height={height} rx={3}>
              <title>{`≤ ${span(1.1 ** ((bar + 1) * TOGETHER))}: ${bars.get(bar) ?? 0}`}</title>
            </rect>
            {i % every === 0 && labelOf(bar) !== labelOf(bar - every) && (
              <text x={i * step + 2} y={HEIGHT + 18}>
                {labelOf(bar)}
              </text>
            )}
          </g>
        )
      })}
    </svg>
  )
}

const labelOf = (bar: number) => span(1.1 ** (bar * TOGETHER))
