import { useEffect, useRef, useState } from 'preact/hooks'
import { now } from '../../api/live.ts'
import { word } from '../../i18n/index.ts'
import { href } from '../../router.ts'
import { safe } from '../../safe-text.ts'
import { theme } from '../../settings.ts'
import { clock, span, zoneFor } from '../../time.ts'
import { draw } from './draw.ts'
import { type Hit, useGestures } from './gestures.ts'
import { AXIS, type Bar, LANE, type Lane, type View } from './model.ts'

interface Props {
  readonly lanes: readonly Lane[]
  readonly view: View
  readonly setView: (view: View) => void
  /** The names of the lanes are jobs. */
  readonly linked: boolean
  readonly summary: string
}

const MOST_LANES = 16

export function Chart(props: Props) {
  const { lanes, linked } = props
  const scroll = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [top, setTop] = useState(0)
  const [hit, setHit] = useState<Hit | undefined>(undefined)
  const height = AXIS + Math.min(MOST_LANES, lanes.length) * LANE
  useDrawing(canvas, props, top, hit?.bar)
  useGestures(canvas, { ...props, top, setHit, scrollBy: (by) => scrolled(scroll.current, by) })
  const first = Math.floor(top / LANE)
  const shown = lanes.slice(first, first + MOST_LANES + 2)
  return (
    <div class="chart" style={{ height: `${height}px` }}>
      <div class="lanes" ref={scroll} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
        <div style={{ height: `${AXIS + lanes.length * LANE}px` }}>
          {shown.map((lane, i) => (
            <LaneName key={lane.name} lane={lane} y={AXIS + (first + i) * LANE} linked={linked} />
          ))}
        </div>
      </div>
      <canvas ref={canvas} role="img" aria-label={props.summary} />
      {hit && <Card hit={hit} width={canvas.current?.clientWidth ?? 0} />}
    </div>
  )
}

function scrolled(element: HTMLElement | null, by: number): boolean {
  if (!element) return false
  const before = element.scrollTop
  element.scrollTop += by
  return element.scrollTop !== before
}

function LaneName({ lane, y, linked }: { lane: Lane; y: number; linked: boolean }) {
  const name = safe(lane.name)
  return (
    <a
      class={lane.bad ? 'bad' : ''}
      style={{ top: `${y}px` }}
      href={linked ? href(['jobs', lane.name]) : href(['jobs'], { group: lane.name })}
      title={name}
    >
      <bdi>{name}</bdi>
    </a>
  )
}

function useDrawing(
  canvas: { current: HTMLCanvasElement | null },
  { lanes, view }: Props,
  top: number,
  hovered: Bar | undefined,
): void {
  const [size, resized] = useState(0)
  useEffect(() => {
    const again = () => resized((count) => count + 1)
    const observer = new ResizeObserver(again)
    if (canvas.current) observer.observe(canvas.current)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', again)
    return () => {
      observer.disconnect()
      dark.removeEventListener('change', again)
    }
  }, [canvas])
  const at = now.value
  const tone = theme.value
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (canvas.current) draw(canvas.current, { lanes, view, now: at, zone: zoneFor(), hovered }, top)
    })
    return () => cancelAnimationFrame(frame)
  }, [lanes, view, at, top, hovered, size, tone])
}

function Card({ hit, width }: { hit: Hit; width: number }) {
  const { bar, lane } = hit
  const zone = zoneFor(lane.zone)
  const { run } = bar
  const left = Math.min(Math.max(0, hit.x - 110), Math.max(0, width - 260))
  const took = run.duration ?? (bar.until === Number.POSITIVE_INFINITY ? now.value - bar.from : undefined)
  return (
    <div class="hover" style={{ left: `calc(var(--names) + ${left}px)`, top: `${hit.y + LANE}px` }}>
      <b class={`o-${bar.state}`}>{word('outcome', bar.state)}</b> <bdi>{safe(run.job)}</bdi>
      <div class="num">
        {clock(bar.from, zone, true)}
        {took !== undefined && ` · ${span(took)}`}
        {run.count !== undefined && ` · ×${run.count}`}
      </div>
      {run.reason && <div>{word('reason', run.reason)}</div>}
      {run.error && <div class="error">{safe(run.error.message).slice(0, 160)}</div>}
    </div>
  )
}
