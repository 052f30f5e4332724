import { useEffect, useRef } from 'preact/hooks'
import { go } from '../../router.ts'
import { AXIS, type Bar, barAt, LANE, type Lane, type View, zoomed } from './model.ts'

/** What the pointer is over, with its place on the chart. */
export interface Hit {
  readonly bar: Bar
  readonly lane: Lane
  readonly x: number
  readonly y: number
}

export interface GestureOptions {
  readonly lanes: readonly Lane[]
  readonly view: View
  readonly top: number
  readonly setView: (view: View) => void
  readonly setHit: (hit: Hit | undefined) => void
  /** False when the lanes cannot be scrolled any further. */
  readonly scrollBy: (by: number) => boolean
}

const DRAG_PX = 4

/** Drag moves, the wheel scrolls, with Ctrl it zooms (a pinch on a touch pad is that, too), a click opens the run. */
export function useGestures(canvas: { current: HTMLCanvasElement | null }, options: GestureOptions): void {
  const latest = useRef(options)
  latest.current = options
  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const abort = new AbortController()
    const on = { signal: abort.signal }
    element.addEventListener('wheel', (event) => wheel(event, element, latest.current), {
      ...on,
      passive: false,
    })
    const drag = dragging(element, latest)
    element.addEventListener('pointerdown', drag.down, on)
    element.addEventListener('pointermove', drag.move, on)
    element.addEventListener('pointerup', drag.up, on)
    element.addEventListener('pointercancel', drag.leave, on)
    element.addEventListener('pointerleave', drag.leave, on)
    return () => abort.abort()
  }, [canvas])
}

function wheel(event: WheelEvent, element: HTMLElement, { view, setView, scrollBy }: GestureOptions): void {
  const perPixel = (view.until - view.from) / element.clientWidth
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault()
    setView(zoomed(view, Math.exp(event.deltaY / 300), view.from + event.offsetX * perPixel))
  } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault()
    const by = event.deltaX * perPixel
    setView({ from: view.from + by, until: view.until + by })
  } else if (scrollBy(event.deltaY)) {
    event.preventDefault()
  }
}

function dragging(element: HTMLElement, latest: { current: GestureOptions }) {
  let start: { x: number; view: View } | undefined
  let moved = false
  const hitAt = (event: PointerEvent) => hitOf(event, element, latest.current)
  return {
    down(event: PointerEvent) {
      start = { x: event.offsetX, view: latest.current.view }
      moved = false
      element.setPointerCapture(event.pointerId)
    },
    move(event: PointerEvent) {
      if (!start) {
        const hit = hitAt(event)
        element.style.cursor = hit ? 'pointer' : 'grab'
        latest.current.setHit(hit)
        return
      }
      const by = event.offsetX - start.x
      if (!moved && Math.abs(by) < DRAG_PX) return
      moved = true
      latest.current.setHit(undefined)
      const { from, until } = start.view
      const ms = (by * (until - from)) / element.clientWidth
      latest.current.setView({ from: from - ms, until: until - ms })
    },
    up(event: PointerEvent) {
      const hit = hitAt(event)
      if (start && !moved && hit) go(['runs', hit.bar.run.id])
      start = undefined
    },
    leave() {
      start = undefined
      latest.current.setHit(undefined)
    },
  }
}

function hitOf(event: PointerEvent, element: HTMLElement, options: GestureOptions): Hit | undefined {
  const { lanes, top, view } = options
  const lane = lanes[Math.floor((event.offsetY - AXIS + top) / LANE)]
  if (!lane || event.offsetY < AXIS) return
  const bar = barAt(lane, event.offsetX, view, element.clientWidth)
  return bar && { bar, lane, x: event.offsetX, y: event.offsetY }
}
