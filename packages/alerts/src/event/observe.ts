import type { Host, Run } from '@escapement/core'
import { describe } from '@escapement/core/plugin'
import type { Kind } from '../types/index.ts'

/** What ends when a run starts, when it succeeds, and when it is over. */
export const ENDS: Record<'running' | 'succeeded' | 'settled', readonly Kind[]> = {
  running: ['missed'],
  succeeded: ['failed', 'lease-lost', 'abandoned'],
  settled: ['slow'],
}

export interface Listener {
  meet(kind: Kind, run: Run): void
  /** Something went well: incidents of these kinds may be over. */
  good(job: string, kinds: readonly Kind[]): void
  /** A tick was started or decided. */
  saw(run: Run): void
  succeeded(job: string): void
  /** The scheduler is stopping, and has aborted runs of these jobs. */
  stopped(jobs: readonly string[]): void
  /** The wall clock moved. */
  stepped(by: number): void
  added(job: string): void
  removed(job: string): void
}

/** Reads a scheduler's events as what is good and bad for its jobs. */
export function listen({ on }: Pick<Host, 'on'>, listener: Listener): void {
  const bad = (kind: Kind) => (run: Run) => listener.meet(kind, run)
  on('failed', bad('failed'))
  on('timed-out', bad('failed'))
  on('missed', bad('missed'))
  on('slow', bad('slow'))
  on('lease-lost', bad('lease-lost'))
  on('abandoned', bad('abandoned'))
  on('skipped', (run) => {
    if (run.reason === 'claim-unavailable') listener.meet('missed', run)
    // Another instance runs it: all is well.
    if (run.reason === 'claimed-elsewhere') listener.good(run.job.name, ENDS.running)
  })
  on('running', (run) => {
    listener.saw(run)
    if (!run.requested) listener.good(run.job.name, ENDS.running)
  })
  on('succeeded', (run) => {
    listener.succeeded(run.job.name)
    listener.good(run.job.name, ENDS.succeeded)
  })
  on('settled', (run) => {
    if (run.attempt > 0) listener.good(run.job.name, ENDS.settled)
    // Skipped for a run that itself waits for a place: that one is still to be seen.
    else if (run.reason !== 'overlap' || run.job.running > 0) listener.saw(run)
  })
  on('clock-step', ({ by }) => listener.stepped(by))
  on('added', ({ name }) => listener.added(name))
  on('removed', ({ name }) => listener.removed(name))
  listenForAborts(on, listener)
}

/** Runs that a stopping scheduler has aborted. */
function listenForAborts(on: Host['on'], listener: Listener): void {
  let aborted: string[] | undefined
  on('start', () => {
    aborted = undefined
  })
  on('drain', () => {
    aborted = []
  })
  on('cancelled', (run) => {
    if (!aborted || run.attempt === 0 || describe(run.error).code !== 'ERR_ESCAPEMENT_CANCELLED') return
    aborted.push(run.job.name)
    listener.stopped(aborted)
  })
}
