import type { Health, Scheduler } from '@escapement/core'
import { checkKeys, oneOf } from '@escapement/core/plugin'
import type { FetchHandler } from './fetch-handler.ts'
import { hub } from './hub.ts'
import { checkScheduler } from './shapes.ts'

export interface HealthOptions {
  /** What decides between 200 and 503. Default `'ready'`. */
  probe?: 'ready' | 'live'
}

/**
 * As `scheduler.health()`, for an HTTP server: not ready from the moment it is asked to shut down. A scheduler
 * that nobody has started (tests, `start: 'never'`) is not in the way of being ready.
 */
export function healthOf(scheduler: Scheduler): Health {
  const health = scheduler.health()
  const leaving = hub().find(scheduler)?.leaving ?? false
  return { ...health, ready: !leaving && (health.ready || health.state === 'idle') }
}

/**
 * Answers probes with `{ state, live, ready, degraded, lag, inFlight, jobs }` as JSON: with 200, or 503 while the
 * scheduler is starting, draining or stopped (`ready`), or when it was stopped (`live`). `degraded` says what is wrong
 * with the lock, the store or the start; it changes neither status.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function health(scheduler: Scheduler, options: HealthOptions = {}): FetchHandler {
  checkScheduler(scheduler, 'healthz()')
  checkKeys(options, { probe: 1 }, 'healthz() option')
  const probe = oneOf('probe', options.probe ?? 'ready', ['ready', 'live'])
  return () => {
    const report = healthOf(scheduler)
    const headers = { 'cache-control': 'no-store' }
    return Response.json(report, { status: report[probe] ? 200 : 503, headers })
  }
}
