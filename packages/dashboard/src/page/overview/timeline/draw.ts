import type { State } from '../../api/types.ts'
import { isBad } from '../../parts/outcome.tsx'
import { clock, day } from '../../time.ts'
import { AXIS, type Bar, HOUR, LANE, type Lane, type View, xOf } from './model.ts'

export interface Scene {
  readonly lanes: readonly Lane[]
  readonly view: View
  readonly now: number
  readonly zone: string | undefined
  readonly hovered: Bar | undefined
}

interface Pen {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  color(name: string): string
}

/** Draws what is seen of the lanes. `top` is how far the lanes are scrolled. */
export function draw(canvas: HTMLCanvasElement, scene: Scene, top: number): void {
  const context = canvas.getContext('2d')
  const { clientWidth: width, clientHeight: height } = canvas
  if (!context || width === 0) return
  const scale = devicePixelRatio || 1
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  context.scale(scale, scale)
  const style = getComputedStyle(canvas)
  const colors = new Map<string, string>()
  const color = (name: string) => {
    let value = colors.get(name)
    if (value === undefined) {
      value = style.getPropertyValue(`--${name}`)
      colors.set(name, value)
    }
    return value
  }
  const pen = { context, width, height, color }
  future(pen, scene)
  grid(pen, scene)
  const first = Math.floor(top / LANE)
  const last = Math.min(scene.lanes.length, Math.ceil((top + height) / LANE))
  context.save()
  context.beginPath()
  context.rect(0, AXIS, width, height)
  context.clip()
  for (let i = first; i < last; i++) {
    const lane = scene.lanes[i]
    if (lane) drawLane(pen, scene, lane, AXIS + i * LANE - top)
  }
  context.restore()
  nowLine(pen, scene)
}

function future({ context, width, height, color }: Pen, { view, now }: Scene): void {
  const x = Math.max(0, xOf(now, view, width))
  context.fillStyle = color('future')
  context.fillRect(x, AXIS, Math.max(0, width - x), height)
}

const STEPS = [
  HOUR / 60,
  HOUR / 12,
  HOUR / 4,
  HOUR / 2,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  24 * HOUR,
]

function grid({ context, width, height, color }: Pen, { view, zone, now }: Scene): void {
  const most = Math.max(2, width / 84)
  const step = STEPS.find((each) => (view.until - view.from) / each <= most) ?? 24 * HOUR
  context.font = `11.5px ${color('font')}`
  context.textBaseline = 'middle'
  const nowAt = xOf(now, view, width)
  // Whole hours of the zone that is shown: of UTC as far as its offset has whole half hours.
  const offset = offsetOf(view.from, zone) % step
  for (let at = Math.ceil((view.from + offset) / step) * step - offset; at < view.until; at += step) {
    const x = Math.round(xOf(at, view, width)) + 0.5
    context.fillStyle = color('line')
    context.fillRect(x - 0.5, AXIS - 4, 1, height)
    const midnight = clock(at, zone) === '00:00'
    context.fillStyle = color(midnight ? 'ink' : 'faint')
    context.textAlign = 'center'
    // The label of now has its place first.
    const covered = Math.abs(x - nowAt) < (midnight ? 62 : 46)
    if (x > 20 && x < width - 20 && !covered)
      context.fillText(midnight ? day(at, zone) : clock(at, zone), x, AXIS / 2)
  }
}

/** How far a zone is ahead of UTC at an instant, in ms. */
function offsetOf(at: number, zone: string | undefined): number {
  if (!zone) return -new Date(at).getTimezoneOffset() * 60_000
  const whole = Math.floor(at / 60_000) * 60_000
  const local = new Date(whole).toLocaleString('sv', { timeZone: zone })
  return Date.parse(`${local.replace(' ', 'T')}Z`) - Math.floor(whole / 1_000) * 1_000
}

function drawLane(pen: Pen, scene: Scene, lane: Lane, y: number): void {
  const { context, width, color } = pen
  context.fillStyle = color('line-soft')
  context.fillRect(0, y + LANE - 1, width, 1)
  for (const bar of lane.bars) drawBar(pen, scene, bar, y)
  context.strokeStyle = color('tick')
  context.lineWidth = 1.5
  context.beginPath()
  let before = Number.NEGATIVE_INFINITY
  for (const at of lane.ticks) {
    const x = Math.round(xOf(at, scene.view, width))
    if (at < scene.now || x < 0 || x > width || x - before < 4) continue
    before = x
    context.moveTo(x + 0.5, y + 9)
    context.lineTo(x + 0.5, y + LANE - 10)
  }
  context.stroke()
}

function drawBar({ context, width, color }: Pen, { view, now, hovered }: Scene, bar: Bar, y: number): void {
  const x = xOf(bar.from, view, width)
  const right = xOf(Math.min(bar.until, now), view, width)
  if (right < -4 || x > width) return
  const left = Math.max(-4, x)
  const length = Math.max(3, Math.min(width + 8, right) - left)
  const [top, height] = tall(bar.state)
  context.fillStyle = color(`o-${bar.state}`) || color('o-skipped')
  context.beginPath()
  context.roundRect(left, y + top, length, height, Math.min(3, length / 2))
  context.fill()
  if (bar !== hovered) return
  context.strokeStyle = color('ink')
  context.lineWidth = 1.5
  context.stroke()
}

/** What went wrong is taller, what was skipped is flat: the colour is not all that tells. */
function tall(state: State): readonly [number, number] {
  if (isBad(state)) return [3, LANE - 7]
  if (state === 'skipped' || state === 'missed' || state === 'cancelled') return [LANE / 2 - 3, 5]
  return [7, LANE - 15]
}

function nowLine({ context, width, height, color }: Pen, { view, now, zone }: Scene): void {
  const x = Math.round(xOf(now, view, width))
  if (x < 0 || x > width) return
  context.fillStyle = color('accent')
  context.fillRect(x - 1, AXIS - 6, 2, height)
  const label = clock(now, zone)
  context.font = `600 11.5px ${color('font')}`
  const wide = context.measureText(label).width + 14
  context.beginPath()
  context.roundRect(Math.min(width - wide, Math.max(0, x - wide / 2)), 5, wide, 20, 10)
  context.fill()
  context.fillStyle = color('on-accent')
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.fillText(label, Math.min(width - wide / 2, Math.max(wide / 2, x)), 15.5)
}
