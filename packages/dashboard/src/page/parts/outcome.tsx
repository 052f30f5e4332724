import type { State } from '../api/types.ts'
import { word } from '../i18n/index.ts'

/** Each outcome has a shape of its own beside its colour. */
const SHAPES: Readonly<Record<State, string>> = {
  succeeded: 'M3 8.5l3.2 3.200L13 4.800',
  failed: 'M4 4l8 8M12 4l-8 8',
  'timed-out': 'M8 3.500V8l3 2M8 1.500a6.500 6.500 0 1 0 .01 0',
  cancelled: 'M3.500 8h9',
  'lease-lost': 'M5 8a3 3 0 0 1 0-5h2M11 8a3 3 0 0 1 0 5H9M4 13l8-10',
  abandoned: 'M8 3v6.500M8 12.400v.2',
  missed: 'M3 4l5 4-5 4M9 4l5 4-5 4',
  skipped: 'M3.500 4l6 4-6 4zM12.500 4v8',
  running: 'M5 3.500l7 4.500-7 4.500z',
  'waiting-retry': 'M13 8a5 5 0 1 1-1.600-3.700M13 2v3h-3',
  due: 'M4 8h.1M8 8h.1M12 8h.1',
  claimed: 'M4 8h.1M8 8h.1M12 8h.1',
}

export function Mark({ state }: { state: State }) {
  return (
    <svg class={`mark o-${state}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[state]} />
    </svg>
  )
}

export function OutcomeBadge({ state }: { state: State }) {
  return (
    <span class={`badge o-${state}`}>
      <Mark state={state} />
      {word('outcome', state)}
    </span>
  )
}

/** The outcomes that somebody should look at. */
export const isBad = (state: string): boolean =>
  ['failed', 'timed-out', 'lease-lost', 'abandoned'].includes(state)
