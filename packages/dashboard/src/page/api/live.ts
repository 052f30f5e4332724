import { signal } from '@preact/signals'
import { eventsUrl } from './client.ts'

/** Whether news come in. `lost` carries the instant (ms) since when they do not. */
export const stream = signal<{ state: 'connecting' | 'live' | 'hidden' } | { state: 'lost'; since: number }>({
  state: 'connecting',
})
/** Rises when something has changed: what is on the screen is asked for again. */
export const changes = signal(0)
/** The instant now, each second; the page counts with it. */
export const now = signal(Date.now())
/** How far the server's clock is ahead of the browser's, in ms. */
export const ahead = signal(0)

/** Names of events, see the API. */
const NEWS = [
  'message',
  'run',
  'runs',
  'job',
  'all',
  'jobs',
  'pause',
  'fleet',
  'incident',
  'audit',
  'changed',
  'reset',
]
const AGAIN_MS = 3_000
const FEWEST_MS = 1_000

let source: EventSource | undefined
let later: ReturnType<typeof setTimeout> | undefined
let again: ReturnType<typeof setTimeout> | undefined

/** Listens for as long as the page is seen. */
export function listen(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now() + ahead.value
  }, 1_000)
  document.addEventListener('visibilitychange', follow)
  follow()
}

function follow(): void {
  clearTimeout(again)
  source?.close()
  source = undefined
  if (document.hidden) {
    stream.value = { state: 'hidden' }
    return
  }
  now.value = Date.now() + ahead.value
  open()
}

function open(): void {
  const mine = new EventSource(eventsUrl)
  source = mine
  mine.onopen = () => {
    stream.value = { state: 'live' }
    changed()
  }
  mine.onerror = () => {
    if (stream.value.state !== 'lost') stream.value = { state: 'lost', since: now.value }
    if (mine.readyState !== EventSource.CLOSED) return
    // The server has refused: the browser gives up, the page does not.
    again = setTimeout(follow, AGAIN_MS)
  }
  for (const name of NEWS) mine.addEventListener(name, changed)
}

/** A burst of news is one question a second. */
export function changed(): void {
  if (later) return
  later = setTimeout(() => {
    later = undefined
    changes.value++
  }, FEWEST_MS)
}

/** At once, after something was done here. */
export function refresh(): void {
  changes.value++
}
